import { Ember, Icon, Wordmark } from '../controls/icon.tsx'
import { InstallButton } from '../offline/install-button.tsx'
import { chats, currentId } from '../state/chats.ts'
import { addressOfView, type Sheet, sheet, showView, type View, view, views } from '../state/page.ts'
import { words } from '../words/words.ts'
import { Nav } from './nav.tsx'
import './side.css'

/** The name, the parts of the page, the chats, and the ways to keys and preferences. A narrow screen opens it as a sheet. */
export function Side() {
  return (
    <>
      <nav aria-label={words.value.app.partsOfThePage}>
        <ul class="parts">
          {views.map((part) => (
            <li key={part}>
              <Part to={part} />
            </li>
          ))}
        </ul>
      </nav>
      <nav class="side-chats" aria-label={words.value.app.chats}>
        <Nav />
      </nav>
      <div class="side-foot">
        <Opener of="preferences" icon="tune" word={words.value.app.preferences} />
        <Opener of="keys" icon="keys" word={words.value.app.keys} />
        <InstallButton />
      </div>
    </>
  )
}

export function Brand() {
  return (
    <div class="brand">
      <Ember />
      <Wordmark />
    </div>
  )
}

function Part({ to }: { readonly to: View }) {
  return (
    <a
      class={isShown(to) ? 'part part-open' : 'part'}
      href={addressOfView(to)}
      aria-current={view.value === to ? 'page' : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return
        event.preventDefault()
        sheet.value = undefined
        showView(to)
      }}
    >
      <Icon name={to} />
      {words.value.app[to]}
    </a>
  )
}

/** Where a chat of the list is open, its own line is marked. */
function isShown(part: View): boolean {
  if (part !== view.value) return false
  return part !== 'chat' || !chats.value.some(({ id }) => id === currentId.value)
}

function Opener({ of, icon, word }: { of: Sheet; icon: 'tune' | 'keys'; word: string }) {
  return (
    <button type="button" class="word" aria-haspopup="dialog" onClick={() => (sheet.value = of)}>
      <Icon name={icon} />
      {word}
    </button>
  )
}
