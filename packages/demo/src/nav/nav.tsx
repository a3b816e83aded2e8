import { Icon } from '../controls/icon.tsx'
import { answering, stopAnswering } from '../state/answering.ts'
import { chats, currentChat, openChat, removeChat, startChat } from '../state/chats.ts'
import { type Chat, chatTitle } from '../state/conversation.ts'
import { editing, sheet, showView, view } from '../state/page.ts'
import { chatsByAge } from './by-age.ts'
import './nav.css'

/** New chat, and the chats kept on this device. */
export function Nav() {
  return (
    <div class="nav">
      <button type="button" class="quiet nav-new" onClick={() => leaveFor(startChat)}>
        New chat
      </button>
      <div class="nav-list">
        {chatsByAge(chats.value, Date.now()).map(([heading, group]) => (
          <section key={heading} aria-label={heading}>
            <h3>{heading}</h3>
            <ul>
              {group.map((chat) => (
                <ChatLine key={chat.id} chat={chat} />
              ))}
            </ul>
          </section>
        ))}
      </div>
    </div>
  )
}

function ChatLine({ chat }: { readonly chat: Chat }) {
  const title = chatTitle(chat)
  const open = view.value === 'chat' && currentChat.value.id === chat.id
  return (
    <li class={open ? 'nav-line nav-open' : 'nav-line'}>
      <button
        type="button"
        class="nav-chat"
        aria-current={open ? 'page' : undefined}
        onClick={() => leaveFor(() => openChat(chat.id))}
      >
        {title}
      </button>
      <button
        type="button"
        class="nav-remove"
        aria-label={`Remove chat: ${title}`}
        title="Remove chat"
        onClick={() => remove(chat)}
      >
        <Icon name="close" />
      </button>
    </li>
  )
}

/** Another chat comes to the front; an answer that is being written in this one ends with the words it has. */
export function leaveFor(go: () => void): void {
  stopAnswering()
  editing.value = undefined
  sheet.value = undefined
  showView('chat')
  go()
}

function remove(chat: Chat): void {
  if (answering.value?.chatId === chat.id) stopAnswering()
  removeChat(chat.id)
}
