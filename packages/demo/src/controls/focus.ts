let asked = 0

/**
 * Brings the keyboard to an element: at once where it is there, so that the very next key reaches it, and with the next drawing
 * where it comes or is made anew. Of several the last counts.
 */
export function focusWhenDrawn(selector: string): void {
  const find = () => document.querySelector<HTMLElement>(selector)
  const mine = ++asked
  const first = find()
  first?.focus()
  const hasIt = first !== null && document.activeElement === first
  requestAnimationFrame(() => {
    if (mine === asked && !(hasIt && first.isConnected)) find()?.focus()
  })
}
