import { ChatList } from '../chats/chat-list.tsx'
import './nav.css'

/** New chat, and the chats kept on this device. */
export function Nav() {
  return (
    <div class="nav">
      <ChatList />
    </div>
  )
}
