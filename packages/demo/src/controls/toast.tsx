import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { words } from '../words/words.ts'
import { Icon } from './icon.tsx'
import './toast.css'

interface Toast {
  /** A sentence: what happened. */
  readonly text: string
  /** The way back, such as Undo, or the way on. */
  readonly action?: { readonly word: string; readonly run: () => void }
  /** It is there until it is closed: what went wrong takes time to read. */
  readonly stays?: boolean
}

/** Long enough to read a sentence and reach its button. */
const shownMs = 8000

const toast = signal<Toast | undefined>(undefined)

/** Says a sentence over the page for a while. A new one takes the place of the one before. */
export function showToast(next: Toast): void {
  toast.value = next
}

export function hideToast(): void {
  toast.value = undefined
}

/** Does what the toast offers; false if it offers nothing. */
export function takeToast(): boolean {
  const action = toast.value?.action
  if (action === undefined) return false
  hideToast()
  action.run()
  return true
}

/** Once a page. Its live region is there before any text is: only so is it read out. */
export function Toasts() {
  const shown = toast.value
  /** A pointer on it, or the focus in it, keeps it. */
  const [isHeld, hold] = useState(false)
  useEffect(() => {
    if (shown === undefined || shown.stays || isHeld) return
    const timer = setTimeout(() => toast.value === shown && hideToast(), shownMs)
    return () => clearTimeout(timer)
  }, [shown, isHeld])
  return (
    <div class="toasts" role="status">
      {shown !== undefined && (
        <div
          class="toast-card"
          onPointerEnter={() => hold(true)}
          onPointerLeave={() => hold(false)}
          onFocusIn={() => hold(true)}
          onFocusOut={() => hold(false)}
        >
          <p>{shown.text}</p>
          {shown.action !== undefined && (
            <button type="button" class="word toast-act" onClick={takeToast}>
              {shown.action.word}
            </button>
          )}
          <button
            type="button"
            class="icon-button"
            aria-label={words.value.controls.close}
            onClick={hideToast}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  )
}
