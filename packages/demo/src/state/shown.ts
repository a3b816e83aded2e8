import { computed, signal } from '@preact/signals'
import { type BranchPlace, branchPlaces } from './branches.ts'
import { changeChat, currentChat, openChat, putChat } from './chats.ts'
import { branchOff, showMessage, shownMessages, showSibling } from './conversation.ts'

/** What of the open chat is shown, and the moves between its branches. */

let lastPlaces: ReadonlyMap<string, BranchPlace> = new Map()

/** Where the shown messages stand among their siblings. The same map as long as nothing of it has changed. */
export const shownPlaces = computed(() => {
  const chat = currentChat.value
  const next = branchPlaces(chat.messages, shownMessages(chat))
  const same =
    next.size === lastPlaces.size &&
    [...next].every(([id, { place, of }]) => {
      const last = lastPlaces.get(id)
      return last?.place === place && last.of === of
    })
  if (!same) lastPlaces = next
  return lastPlaces
})

/** Shows the next or the previous of the messages that follow the same one; returns its id. */
export function stepBranch(messageId: string, step: 1 | -1): string | undefined {
  const before = currentChat.value
  const index = shownMessages(before).findIndex(({ id }) => id === messageId)
  changeChat(before.id, (chat) => showSibling(chat, messageId, step))
  return shownMessages(currentChat.value)[index]?.id
}

/** The message that the person looks for: it is brought into sight and then forgotten. */
export const soughtId = signal<string | undefined>(undefined)

/** Opens a chat at a message, on whichever branch it is. */
export function openAt(chatId: string, messageId: string): void {
  openChat(chatId)
  soughtId.value = messageId
  changeChat(chatId, (chat) => showMessage(chat, messageId))
}

/** Goes on from a message in a chat of its own. */
export function branchToNewChat(messageId: string, title: string): void {
  const id = crypto.randomUUID()
  putChat(branchOff(currentChat.value, messageId, id, title, Date.now()))
  openChat(id)
}
