import { renaming } from '../chats/chat-line.tsx'
import { leaveFor } from '../chats/moves.ts'
import { focusWhenDrawn } from '../controls/focus.ts'
import { showToast, takeToast } from '../controls/toast.tsx'
import { answerAgain, answering, stopAnswering } from '../state/answering.ts'
import { chats, currentChat, currentId, openChat, startChat } from '../state/chats.ts'
import { shownMessages } from '../state/conversation.ts'
import { cancelEdit, editing, hasNav, sheet, showView, togglePanel, view, views } from '../state/page.ts'
import { words } from '../words/words.ts'
import { meaningOf } from './shortcuts.ts'

/** Keys that work wherever the focus is. Those of the box itself are in the box. */
export function listenForKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.repeat) return
    // An open dialog has its own Esc, and nothing happens behind it.
    if (document.querySelector('dialog[open], [popover]:popover-open')) return
    const meaning = meaningOf(event)
    if (meaning === undefined) return
    if (meaning.isTyped && isTyping(event.target)) return
    if (meaning.does === 'undo' && !takeToast()) return
    if (meaning.does !== 'stop') event.preventDefault()
    act(meaning.does, meaning.part)
  })
}

function act(does: NonNullable<ReturnType<typeof meaningOf>>['does'], part = 0): void {
  switch (does) {
    case 'stop':
      // The other parts have their own.
      if (view.value !== 'chat') return
      if (answering.value !== undefined) stopAnswering()
      else if (editing.value !== undefined) cancelEdit()
      return
    case 'focusBox':
      document.querySelector<HTMLElement>('#message, #query')?.focus()
      return
    case 'showKeys':
      sheet.value = 'keys'
      return
    case 'newChat':
      leaveFor(startChat)
      focusWhenDrawn('#message')
      return
    case 'search':
      searchChats()
      return
    case 'previousChat':
      stepChat(-1)
      return
    case 'nextChat':
      stepChat(1)
      return
    case 'renameChat':
      renameOpenChat()
      return
    case 'copyAnswer':
      void copyLastAnswer()
      return
    case 'again':
      answerLastAgain()
      return
    case 'chooseModel':
      // The benchmark has its own choice.
      if (view.value === 'benchmark') document.querySelector<HTMLElement>('#bench-model')?.focus()
      else sheet.value = 'models'
      return
    case 'togglePanel':
      if (view.value === 'chat') togglePanel()
      return
    case 'preferences':
      sheet.value = 'preferences'
      return
    case 'goToPart':
      showView(views[part]!)
      return
  }
}

/** The field is there once the chats are; a narrow screen opens them first. */
function searchChats(): void {
  if (!hasNav.value) sheet.value = 'chats'
  focusWhenDrawn('.side-chats input[type="search"]')
}

function renameOpenChat(): void {
  if (!chats.value.some(({ id }) => id === currentId.value)) return
  if (!hasNav.value) sheet.value = 'chats'
  renaming.value = currentId.value
}

/** The list is newest first: down goes back in time. */
function stepChat(step: number): void {
  const list = chats.value
  const at = list.findIndex(({ id }) => id === currentChat.value.id)
  // A new chat stands before the newest.
  const next = list[at + step]
  if (next !== undefined) leaveFor(() => openChat(next.id))
}

function lastAnswer() {
  return shownMessages(currentChat.value).findLast((message) => message.role === 'assistant')
}

async function copyLastAnswer(): Promise<void> {
  const { copied, notAllowed } = words.value.keys
  const answer = lastAnswer()
  if (view.value !== 'chat' || answer === undefined || answer.content === '') return
  try {
    await navigator.clipboard.writeText(answer.content)
    showToast({ text: copied })
  } catch {
    showToast({ text: notAllowed })
  }
}

function answerLastAgain(): void {
  const answer = lastAnswer()
  if (view.value === 'chat' && answer !== undefined) void answerAgain(answer.id)
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select')
}
