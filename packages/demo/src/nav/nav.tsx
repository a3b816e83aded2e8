import { ChatList } from '../chats/chat-list.tsx'
import { Ember } from '../controls/icon.tsx'
import { sheet } from '../state/page.ts'
import './nav.css'

/** New chat, the chats kept on this device, and the ways out of the chat. */
export function Nav() {
  return (
    <div class="nav">
      <ChatList />
      <div class="nav-foot">
        <button type="button" class="word" onClick={() => (sheet.value = 'models')}>
          Models
        </button>
        <a class="word" href="bench.html">
          Benchmark
        </a>
        <button type="button" class="word" onClick={() => (sheet.value = 'keys')}>
          Keys
        </button>
      </div>
    </div>
  )
}

export function Brand() {
  return (
    <div class="brand">
      <Ember />
      Brasa
    </div>
  )
}
