import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { sheet } from '../state/page.ts'
import { words } from '../words/words.ts'
import { Icon } from './icon.tsx'
import './sheet.css'

interface DialogProps {
  readonly title: string
  /** `left` and `right` slide over an edge of a narrow screen; `middle` is a dialog. */
  readonly place: 'left' | 'right' | 'middle'
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** Something that lies over the page until it is closed: Esc, the cross, or a tap beside it. The focus goes back after it. */
export function Dialog({ title, place, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const isGone = useRef(false)
  useLayoutEffect(() => {
    const element = dialog.current!
    const before = document.activeElement
    element.showModal()
    return () => {
      // Closed from elsewhere, it takes no other dialog with it.
      isGone.current = true
      element.close()
      if (before instanceof HTMLElement && before.isConnected && isLost()) before.focus()
    }
  }, [])
  const close = () => {
    dialog.current?.close()
    // The event comes a moment later: a key pressed in between is already meant for the page.
    onClose()
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard has Esc, which the dialog handles itself.
    <dialog
      ref={dialog}
      class={`sheet sheet-${place}`}
      aria-label={title}
      onClose={() => isGone.current || onClose()}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="sheet-body">
        <div class="sheet-head">
          <h2>{title}</h2>
          <button type="button" class="icon-button" aria-label={words.value.controls.close} onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  )
}

/** The dialog that `sheet` names. */
export function SheetDialog(props: Omit<DialogProps, 'onClose'>) {
  return (
    <Dialog
      {...props}
      onClose={() => {
        sheet.value = undefined
      }}
    />
  )
}

/** Nothing has the focus that a person could have meant. */
function isLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body
}
