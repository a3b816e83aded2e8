import { renaming } from '../chats/chat-line.tsx'
import { leaveForNewChat } from '../chats/moves.ts'
import { takeToast } from '../chats/toast.tsx'
import { answering, stopAnswering } from '../state/answering.ts'
import { chats, currentId } from '../state/chats.ts'
import { cancelEdit, editing, hasNav, sheet, view } from '../state/page.ts'
import { words } from '../words/words.ts'
import './keys.css'

const keys = [
  ['Enter', 'Send'],
  ['Shift Enter', 'Break the line'],
  ['Esc', 'Stop the answer or the run, or leave an edit'],
  ['↑', 'Edit your last message, in an empty box'],
  ['/', 'Go to the box, or to the search'],
  ['?', 'Show these keys'],
] as const

/** Of the chats: `Mod` is the key that each system has for such things. */
const chatKeys = [
  ['Mod Shift O', 'keyNew'],
  ['Mod K', 'keySearch'],
  ['↑ ↓', 'keyList'],
  ['F2', 'keyRename'],
  ['Delete', 'keyDelete'],
  ['Mod Z', 'keyUndo'],
] as const

const isApple = /Mac|iPhone|iPad/.test(navigator.platform)

export function Keys() {
  const said = words.value.chats
  const all = [...keys, ...chatKeys.map(([key, word]) => [key, said[word]] as const)]
  return (
    <dl class="keys">
      {all.map(([key, meaning]) => (
        <div key={key}>
          <dt>
            {key.split(' ').map((part) => (
              <kbd key={part}>{part === 'Mod' ? (isApple ? '⌘' : 'Ctrl') : part}</kbd>
            ))}
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Keys that work wherever the focus is. Those of the box itself are in the box. */
export function listenForKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing) return
    if (takeChatKey(event)) return event.preventDefault()
    if (event.ctrlKey || event.metaKey || event.altKey) return
    // An open dialog has its own Esc.
    if (sheet.value !== undefined) return
    if (event.key === 'Escape') {
      // The other part has its own.
      if (view.value !== 'chat') return
      if (answering.value !== undefined) stopAnswering()
      else if (editing.value !== undefined) cancelEdit()
      return
    }
    if (isTyping(event.target)) return
    if (event.key === '/') {
      event.preventDefault()
      document.querySelector<HTMLElement>('#message, #query')?.focus()
    } else if (event.key === '?') {
      event.preventDefault()
      sheet.value = 'keys'
    }
  })
}

/** Whether the key was one of the chats', and has done its work. */
function takeChatKey(event: KeyboardEvent): boolean {
  if (event.altKey || (sheet.value !== undefined && sheet.value !== 'chats')) return false
  const key = event.key.toLowerCase()
  const mod = isApple ? event.metaKey : event.ctrlKey
  if (mod && event.shiftKey && key === 'o') leaveForNewChat()
  else if (mod && !event.shiftKey && key === 'k') showChatList('#chat-search')
  else if (mod && !event.shiftKey && key === 'z' && !isTyping(event.target)) return takeToast()
  else if (key === 'f2' && chats.value.some(({ id }) => id === currentId.value)) {
    showChatList()
    renaming.value = currentId.value
  } else return false
  return true
}

/** Where there is room the list is always there; else it opens. */
function showChatList(focus?: string): void {
  if (!hasNav.value) sheet.value = 'chats'
  if (focus !== undefined) {
    requestAnimationFrame(() => document.querySelector<HTMLElement>(focus)?.focus())
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select')
}
