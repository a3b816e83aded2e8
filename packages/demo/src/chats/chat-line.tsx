import { signal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { focusWhenDrawn } from '../controls/focus.ts'
import { Menu } from '../controls/menu.tsx'
import { changeChat, chats, currentId, openChat } from '../state/chats.ts'
import { type Chat, renameChat } from '../state/conversation.ts'
import { view } from '../state/page.ts'
import { openAt } from '../state/shown.ts'
import { words } from '../words/words.ts'
import { exportJson, exportMarkdown } from './chat-files.ts'
import { deleteChats, leaveFor } from './moves.ts'
import type { Snippet } from './search.ts'

export interface Line {
  readonly id: string
  readonly title: string
  readonly updatedAt: number
  /** Where a search has found what it looked for. */
  readonly messageId?: string
  readonly snippet?: Snippet
}

/** The chat whose title is being changed, if any. */
export const renaming = signal<string | undefined>(undefined)

export function ChatLine({ line }: { readonly line: Line }) {
  const said = words.value.chats
  const { id, snippet, messageId } = line
  if (renaming.value === id) return <Rename line={line} />
  const title = line.title || said.untitled
  const open = view.value === 'chat' && currentId.value === id
  const go = () => leaveFor(() => (messageId === undefined ? openChat(id) : openAt(id, messageId)))
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'F2') renaming.value = id
    else if (event.key === 'Delete') removeLine(id)
    else return
    event.preventDefault()
  }
  const withChat = (run: (chat: Chat) => void) => () => {
    const chat = chats.value.find((candidate) => candidate.id === id)
    if (chat !== undefined) run(chat)
  }
  const acts = [
    {
      word: said.rename,
      icon: 'edit' as const,
      run: () => {
        renaming.value = id
      },
    },
    { word: said.exportMarkdown, icon: 'export' as const, run: withChat(exportMarkdown) },
    { word: said.exportJson, icon: 'export' as const, run: withChat(exportJson) },
    { word: said.delete, icon: 'trash' as const, run: () => removeLine(id), isBad: true },
  ]
  return (
    <li class={open ? 'nav-line nav-open' : 'nav-line'}>
      <button
        type="button"
        class="nav-chat"
        data-chat={id}
        title={title}
        aria-current={open ? 'page' : undefined}
        onClick={go}
        onKeyDown={onKeyDown}
      >
        <span class="nav-title">{title}</span>
        {snippet !== undefined && (
          <span class="nav-snippet">
            {snippet.before}
            <mark>{snippet.hit}</mark>
            {snippet.after}
          </span>
        )}
      </button>
      <Menu label={said.actsOf(title)} items={acts} class="nav-more" />
    </li>
  )
}

/** The title in a field of its own: Enter keeps what is typed, Esc the old one. */
function Rename({ line: { id, title } }: { readonly line: Line }) {
  const field = useRef<HTMLInputElement>(null)
  useLayoutEffect(() => field.current!.select(), [])
  const leave = (focus: boolean) => {
    if (renaming.value !== id) return
    renaming.value = undefined
    if (focus) focusWhenDrawn(lineButton(id))
  }
  const keep = (focus: boolean) => {
    if (renaming.value !== id) return
    const next = field.current!.value
    if (next.trim() !== title) changeChat(id, (chat) => renameChat(chat, next, Date.now()))
    leave(focus)
  }
  return (
    <li class="nav-line">
      <input
        ref={field}
        class="field nav-rename"
        aria-label={words.value.chats.titleOf(title)}
        maxLength={200}
        defaultValue={title}
        onBlur={() => keep(false)}
        onKeyDown={(event) => {
          event.stopPropagation()
          if (event.isComposing) return
          if (event.key === 'Enter') keep(true)
          else if (event.key === 'Escape') leave(true)
          else return
          event.preventDefault()
        }}
      />
    </li>
  )
}

const lineButton = (id: string) => `[data-chat="${CSS.escape(id)}"]`

/** The keyboard goes on at the next line, or where the list has become empty, at the way to a new chat. */
function removeLine(id: string): void {
  const all = [...document.querySelectorAll<HTMLElement>('.nav-chat')]
  const index = all.findIndex((button) => button.dataset.chat === id)
  const hadFocus = all[index]?.parentElement?.contains(document.activeElement)
  deleteChats([id])
  if (!hadFocus) return
  const next = (all[index + 1] ?? all[index - 1])?.dataset.chat
  focusWhenDrawn(next === undefined ? '.nav-new' : lineButton(next))
}
