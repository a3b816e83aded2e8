import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import './tabs.css'

interface TabsProps<Id extends string> {
  readonly label: string
  readonly tabs: readonly { readonly id: Id; readonly word: string }[]
  readonly chosen: Id
  readonly onChoose: (id: Id) => void
  /** What the chosen tab shows. */
  readonly children: ComponentChildren
}

/** Several views of one thing, one at a time. Arrows go from tab to tab. */
export function Tabs<Id extends string>({ label, tabs, chosen, onChoose, children }: TabsProps<Id>) {
  const panel = useId()
  const onKeyDown = (event: KeyboardEvent & { readonly currentTarget: HTMLElement }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const at = tabs.findIndex(({ id }) => id === chosen)
    const next = (at + step + tabs.length) % tabs.length
    onChoose(tabs[next]!.id)
    event.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus()
  }
  return (
    <>
      <div class="tab-row" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(({ id, word }) => (
          <button
            key={id}
            type="button"
            role="tab"
            class="tab"
            aria-selected={id === chosen}
            aria-controls={panel}
            tabIndex={id === chosen ? 0 : -1}
            onClick={() => onChoose(id)}
          >
            {word}
          </button>
        ))}
      </div>
      <div id={panel} role="tabpanel" aria-label={tabs.find(({ id }) => id === chosen)?.word}>
        {children}
      </div>
    </>
  )
}
