import type { ComponentChildren } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from './icon.tsx'
import './menu.css'

interface MenuItem {
  readonly word: string
  readonly icon?: IconName
  /** It takes something away. */
  readonly isBad?: boolean
  readonly isOff?: boolean
  readonly run: () => void
}

interface MenuProps {
  /** What the button opens, for those who hear it. */
  readonly label: string
  readonly items: readonly MenuItem[]
  /** In the button; three dots if left out. */
  readonly children?: ComponentChildren
  readonly class?: string
}

/** A button with a short list of actions under it. Arrows, Home and End walk it; Esc or a tap beside it closes it. */
export function Menu({ label, items, children, class: className = 'icon-button' }: MenuProps) {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLDivElement>(null)
  /** Its entries are made when it opens: a long list has many menus. */
  const [isOpen, open] = useState(false)
  const entries = () => [...list.current!.querySelectorAll<HTMLElement>('[role=menuitem]:not(:disabled)')]

  const onToggle = (event: Event) => {
    const isOpen = (event as ToggleEvent).newState === 'open'
    button.current!.setAttribute('aria-expanded', String(isOpen))
    if (!isOpen) return
    putUnder(list.current!, button.current!)
    entries()[0]?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const all = entries()
    const at = all.indexOf(document.activeElement as HTMLElement)
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }
    const next = steps[event.key]
    if (event.key === 'Tab') list.current!.hidePopover()
    if (next === undefined) return
    event.preventDefault()
    all.at(next % all.length)?.focus()
  }
  return (
    <>
      <button
        ref={button}
        type="button"
        class={className}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={false}
        popovertarget={id}
      >
        {children ?? <Icon name="more" />}
      </button>
      <div
        ref={list}
        id={id}
        class="menu"
        role="menu"
        aria-label={label}
        popover="auto"
        onBeforeToggle={(event) => open(event.newState === 'open')}
        onToggle={onToggle}
        onKeyDown={onKeyDown}
      >
        {(isOpen ? items : []).map(({ word, icon, isBad, isOff, run }) => (
          <button
            key={word}
            type="button"
            role="menuitem"
            class={isBad ? 'menu-item menu-bad' : 'menu-item'}
            disabled={isOff}
            onClick={() => {
              list.current!.hidePopover()
              run()
            }}
          >
            {icon !== undefined && <Icon name={icon} />}
            {word}
          </button>
        ))}
      </div>
    </>
  )
}

/** Under the button, or above it where there is no room, and inside the window. */
function putUnder(list: HTMLElement, button: HTMLElement): void {
  const gap = 4
  const at = button.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = list
  const below = at.bottom + gap
  const top = below + height > innerHeight - gap ? Math.max(gap, at.top - gap - height) : below
  const left = Math.min(Math.max(gap, at.right - width), innerWidth - width - gap)
  list.style.top = `${top}px`
  list.style.left = `${left}px`
}
