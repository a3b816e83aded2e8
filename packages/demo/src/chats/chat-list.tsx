import { computed, signal } from '@preact/signals'
import { Icon } from '../controls/icon.tsx'
import { Menu } from '../controls/menu.tsx'
import { chatsByAge } from '../nav/by-age.ts'
import { chats } from '../state/chats.ts'
import { chatTitle } from '../state/conversation.ts'
import { words } from '../words/words.ts'
import { chooseImport, exportAll } from './chat-files.ts'
import { ChatLine, type Line } from './chat-line.tsx'
import { leaveForNewChat } from './moves.ts'
import { searchChats } from './search.ts'
import './chats.css'

const query = signal('')
/** More than anyone reads; the next word narrows it. */
const maxFound = 200

const numChats = computed(() => chats.value.length)

let lastLines: readonly Line[] = []

/** The same list as long as no line of it has changed: an answer changes its chat with every word, and no line. */
const lines = computed<readonly Line[]>(() => {
  const searching = query.value.trim() !== ''
  const found = searchChats(chats.value, query.value).slice(0, searching ? maxFound : undefined)
  const next = found.map(({ chat, message, snippet }) => ({
    id: chat.id,
    title: chatTitle(chat),
    updatedAt: chat.updatedAt,
    ...(message && { messageId: message.id }),
    ...(snippet && { snippet }),
  }))
  if (next.length !== lastLines.length || next.some((line, index) => !isSame(line, lastLines[index]!))) {
    lastLines = next
  }
  return lastLines
})

function isSame(a: Line, b: Line): boolean {
  return (
    a.id === b.id &&
    a.title === b.title &&
    a.updatedAt === b.updatedAt &&
    a.messageId === b.messageId &&
    a.snippet?.hit === b.snippet?.hit &&
    a.snippet?.before === b.snippet?.before
  )
}

/** New chat, the search, and the chats that are kept on this device. */
export function ChatList() {
  const said = words.value.chats
  const isSearching = query.value.trim() !== ''
  const acts = [
    { word: said.import, icon: 'file' as const, run: chooseImport },
    { word: said.exportAll, icon: 'export' as const, run: exportAll, isOff: numChats.value === 0 },
  ]
  return (
    <>
      <div class="chats-head">
        <button type="button" class="quiet nav-new" onClick={leaveForNewChat}>
          <Icon name="plus" />
          {said.newChat}
        </button>
        <Menu label={said.allChats} items={acts} />
      </div>
      <input
        class="field chats-search"
        type="search"
        autocomplete="off"
        aria-label={said.search}
        placeholder={said.search}
        value={query.value}
        onInput={(event) => {
          query.value = event.currentTarget.value
        }}
        onKeyDown={onSearchKey}
      />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the arrows move between the buttons inside. */}
      <div class="nav-list" onKeyDown={onListKey}>
        {isSearching ? (
          <Results />
        ) : (
          chatsByAge(lines.value, Date.now()).map(([age, group]) => (
            <section key={age} aria-label={said[age]}>
              <h3>{said[age]}</h3>
              <ul>
                {group.map((line) => (
                  <ChatLine key={line.id} line={line} />
                ))}
              </ul>
            </section>
          ))
        )}
      </div>
    </>
  )
}

function Results() {
  const said = words.value.chats
  const found = lines.value
  return (
    <section aria-label={said.found(found.length)}>
      <h3 aria-live="polite">{said.found(found.length)}</h3>
      <ul>
        {found.map((line) => (
          <ChatLine key={line.id} line={line} />
        ))}
      </ul>
    </section>
  )
}

function onSearchKey(event: KeyboardEvent & { readonly currentTarget: HTMLInputElement }): void {
  if (event.key === 'Escape' && query.value !== '') {
    // A sheet stays open.
    event.preventDefault()
    event.stopPropagation()
    query.value = ''
  } else if (event.key === 'ArrowDown') {
    event.preventDefault()
    document.querySelector<HTMLElement>('.nav-chat')?.focus()
  } else if (event.key === 'Enter' && query.value.trim() !== '') {
    document.querySelector<HTMLElement>('.nav-chat')?.click()
  }
}

/** The arrows go from chat to chat, and from the first to the search. */
function onListKey(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('.nav-chat')]
  const index = all.indexOf(document.activeElement as HTMLElement)
  if (step === undefined || index < 0) return
  event.preventDefault()
  if (index + step < 0) document.querySelector<HTMLElement>('.chats-search')?.focus()
  else all[index + step]?.focus()
}
