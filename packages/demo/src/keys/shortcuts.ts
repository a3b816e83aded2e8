import type { Words } from '../words/en.ts'

type Meaning = keyof Words['keys']['meanings']

/** A key with its modifiers, and what it does. `mod` is Ctrl, and Command on a Mac. */
export interface Shortcut {
  readonly keys: readonly string[]
  readonly does: Meaning
}

/** Those of the box, of lists and of single parts are handled there; they are listed with the others. */
export const shortcuts = [
  { keys: ['Enter'], does: 'send' },
  { keys: ['Shift', 'Enter'], does: 'breakLine' },
  { keys: ['Esc'], does: 'stop' },
  { keys: ['↑'], does: 'editLast' },
  { keys: ['/'], does: 'focusBox' },
  { keys: ['Alt', 'N'], does: 'newChat' },
  { keys: ['mod', 'K'], does: 'search' },
  { keys: ['Alt', '↑'], does: 'previousChat' },
  { keys: ['Alt', '↓'], does: 'nextChat' },
  { keys: ['F2'], does: 'renameChat' },
  { keys: ['Delete'], does: 'deleteChat' },
  { keys: ['mod', 'Z'], does: 'undo' },
  { keys: ['Alt', 'C'], does: 'copyAnswer' },
  { keys: ['Alt', 'R'], does: 'again' },
  { keys: ['Alt', 'M'], does: 'chooseModel' },
  { keys: ['Alt', 'P'], does: 'togglePanel' },
  { keys: ['Alt', ','], does: 'preferences' },
  { keys: ['Alt', '1…6'], does: 'goToPart' },
  { keys: ['mod', 'Enter'], does: 'sendRequest' },
  { keys: ['←', '→'], does: 'stepToken' },
  { keys: ['?'], does: 'showKeys' },
] as const satisfies readonly Shortcut[]

export type Pressed = Pick<KeyboardEvent, 'key' | 'code' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>

const alt: Readonly<Record<string, Meaning>> = {
  n: 'newChat',
  c: 'copyAnswer',
  r: 'again',
  m: 'chooseModel',
  p: 'togglePanel',
  ',': 'preferences',
  arrowup: 'previousChat',
  arrowdown: 'nextChat',
}

/** What a key pressed anywhere on the page means, and for a part of the page which one. `isTyped`: not in a field, which has it for itself. */
export function meaningOf(
  pressed: Pressed,
): { readonly does: Meaning; readonly part?: number; readonly isTyped?: boolean } | undefined {
  const { altKey, ctrlKey, metaKey, shiftKey } = pressed
  const name = nameOf(pressed)
  if (altKey && !ctrlKey && !metaKey && !shiftKey) {
    if (/^[1-6]$/.test(name)) return { does: 'goToPart', part: Number(name) - 1 }
    const does = alt[name]
    return does === undefined ? undefined : { does }
  }
  // Of the two, only one is a person's on their device; the other means nothing there.
  if (ctrlKey !== metaKey && !altKey && !shiftKey) {
    if (name === 'k') return { does: 'search' }
    if (name === 'z') return { does: 'undo', isTyped: true }
  }
  if (altKey || ctrlKey || metaKey) return undefined
  if (name === 'escape') return { does: 'stop' }
  if (name === 'f2') return { does: 'renameChat' }
  if (name === '/') return { does: 'focusBox', isTyped: true }
  return name === '?' ? { does: 'showKeys', isTyped: true } : undefined
}

/** With Option a Mac types other letters: there the place of the key tells. */
function nameOf({ key, code, altKey }: Pressed): string {
  const name = key.toLowerCase()
  if (!altKey || /^[a-z0-9,]$|^arrow/.test(name)) return name
  if (code === 'Comma') return ','
  return code.replace(/^(Key|Digit)/, '').toLowerCase()
}
