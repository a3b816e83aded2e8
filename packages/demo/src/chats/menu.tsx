import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from '../controls/icon.tsx'

export interface MenuItem {
  readonly label: string
  readonly act: () => void
  readonly isDanger?: boolean
}

interface MenuProps {
  readonly label: string
  readonly items: () => readonly MenuItem[]
}

/** Three dots that open a menu: arrows move in it, Esc and a tap beside it close it. */
export function MenuButton({ label, items }: MenuProps) {
  const isOpen = useSignal(false)
  const button = useRef<HTMLButtonElement>(null)
  const close = () => {
    isOpen.value = false
    button.current?.focus()
  }
  return (
    <>
      <button
        ref={button}
        type="button"
        class="menu-button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen.value}
        onClick={() => {
          isOpen.value = !isOpen.value
        }}
      >
        <Icon name="more" />
      </button>
      {isOpen.value && <Menu label={label} items={items()} at={button.current!} onClose={close} />}
    </>
  )
}

interface OpenMenuProps {
  readonly label: string
  readonly items: readonly MenuItem[]
  readonly at: HTMLElement
  readonly onClose: () => void
}

function Menu({ label, items, at, onClose }: OpenMenuProps) {
  const menu = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const element = menu.current!
    element.showPopover()
    place(element, at.getBoundingClientRect())
    element.querySelector<HTMLElement>('button')?.focus()
    // Its place is that of the button, which has moved.
    const away = () => element.hidePopover()
    addEventListener('resize', away)
    at.closest('.nav-list')?.addEventListener('scroll', away)
    return () => {
      removeEventListener('resize', away)
      at.closest('.nav-list')?.removeEventListener('scroll', away)
    }
  }, [])
  const onKeyDown = (event: KeyboardEvent) => {
    const buttons = [...menu.current!.querySelectorAll('button')]
    const index = buttons.indexOf(document.activeElement as HTMLButtonElement)
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: -1 }[event.key]
    if (next !== undefined) {
      event.preventDefault()
      buttons.at(next % buttons.length)?.focus()
    } else if (event.key === 'Tab') {
      event.preventDefault()
      onClose()
    }
    event.stopPropagation()
  }
  return (
    <div
      ref={menu}
      class="menu"
      popover="auto"
      role="menu"
      aria-label={label}
      onKeyDown={onKeyDown}
      onToggle={(event) => event.newState === 'closed' && onClose()}
    >
      {items.map((item) => (
        <button
          key={item.label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={item.isDanger ? 'menu-item menu-danger' : 'menu-item'}
          onClick={() => {
            onClose()
            item.act()
          }}
        >
          {item.label}
        </button>
      ))}
    </div>
  )
}

/** Below the button if there is room, else above; never over the edge of the screen. */
function place(menu: HTMLElement, { right, top, bottom }: DOMRect): void {
  const { width, height } = menu.getBoundingClientRect()
  const gap = 4
  const below = bottom + gap + height <= innerHeight
  menu.style.left = `${Math.max(gap, Math.min(right - width, innerWidth - width - gap))}px`
  menu.style.top = `${below ? bottom + gap : Math.max(gap, top - gap - height)}px`
}
