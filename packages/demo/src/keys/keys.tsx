import { answering, stopAnswering } from '../state/answering.ts'
import { cancelEdit, editing, sheet, view } from '../state/page.ts'
import './keys.css'

const keys = [
  ['Enter', 'Send'],
  ['Shift Enter', 'Break the line'],
  ['Esc', 'Stop the answer or the run, or leave an edit'],
  ['↑', 'Edit your last message, in an empty box'],
  ['/', 'Go to the box, or to the search'],
  ['?', 'Show these keys'],
] as const

export function Keys() {
  return (
    <dl class="keys">
      {keys.map(([key, meaning]) => (
        <div key={key}>
          <dt>
            {key.split(' ').map((part) => (
              <kbd key={part}>{part}</kbd>
            ))}
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Keys that work wherever the focus is. Those of the box itself are in the box. */
export function listenForKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return
    // An open dialog has its own Esc.
    if (sheet.value !== undefined) return
    if (event.key === 'Escape') {
      // The other part has its own.
      if (view.value !== 'chat') return
      if (answering.value !== undefined) stopAnswering()
      else if (editing.value !== undefined) cancelEdit()
      return
    }
    if (isTyping(event.target)) return
    if (event.key === '/') {
      event.preventDefault()
      document.querySelector<HTMLElement>('#message, #query')?.focus()
    } else if (event.key === '?') {
      event.preventDefault()
      sheet.value = 'keys'
    }
  })
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select')
}
