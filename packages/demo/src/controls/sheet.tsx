import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { sheet } from '../state/page.ts'
import { Icon } from './icon.tsx'
import './sheet.css'

interface SheetProps {
  readonly title: string
  /** `side` slides over an edge of a narrow screen; `middle` is a dialog. */
  readonly place: 'left' | 'right' | 'middle'
  readonly children: ComponentChildren
}

/** Something that lies over the page until it is closed: Esc, the cross, or a tap beside it. */
export function SheetDialog({ title, place, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => dialog.current?.showModal(), [])
  const close = () => {
    sheet.value = undefined
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard has Esc, which the dialog handles itself.
    <dialog
      ref={dialog}
      class={`sheet sheet-${place}`}
      aria-label={title}
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div class="sheet-body">
        <div class="sheet-head">
          <h2>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  )
}
