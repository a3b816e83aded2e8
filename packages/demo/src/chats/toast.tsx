import { signal } from '@preact/signals'
import { words } from '../words/words.ts'

/** What the page says for some seconds, with one thing that can be done about it. */
export interface ToastWords {
  readonly text: string
  readonly action: string
  readonly act: () => void
  /** It went without having been taken. */
  readonly onGone?: () => void
  /** It is said at once, and stays until it is closed. */
  readonly isProblem?: boolean
}

const showMs = 10_000

const toast = signal<ToastWords | undefined>(undefined)
let timer: ReturnType<typeof setTimeout> | undefined

export function showToast(next: ToastWords): void {
  hideToast()
  toast.value = next
  wait()
}

function hideToast(): void {
  clearTimeout(timer)
  toast.value?.onGone?.()
  toast.value = undefined
}

function wait(): void {
  clearTimeout(timer)
  if (toast.value?.isProblem !== true) timer = setTimeout(hideToast, showMs)
}

/** Does what the toast offers; false if there is none. */
export function takeToast(): boolean {
  const shown = toast.value
  if (shown === undefined) return false
  clearTimeout(timer)
  toast.value = undefined
  shown.act()
  return true
}

/** Waits as long as the pointer or the keyboard is on it: nobody is hurried. */
export function Toast() {
  const shown = toast.value
  return (
    <div class="toast-place" role={shown?.isProblem ? 'alert' : 'status'}>
      {shown !== undefined && (
        <div
          class="notice toast chats-toast"
          onPointerEnter={() => clearTimeout(timer)}
          onPointerLeave={wait}
          onFocusIn={() => clearTimeout(timer)}
          onFocusOut={wait}
        >
          <p>{shown.text}</p>
          <button type="button" class="quiet" onClick={takeToast}>
            {shown.action}
          </button>
          <button type="button" class="word" onClick={hideToast}>
            {words.value.chats.close}
          </button>
        </div>
      )}
    </div>
  )
}
