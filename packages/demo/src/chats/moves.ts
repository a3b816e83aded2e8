import { focusWhenDrawn } from '../controls/focus.ts'
import { showToast } from '../controls/toast.tsx'
import { answering, stopAnswering } from '../state/answering.ts'
import { chats, currentId, openChat, putChats, removeChat, startChat } from '../state/chats.ts'
import { type Chat, chatTitle } from '../state/conversation.ts'
import { editing, sheet, showView } from '../state/page.ts'
import { settleAnswers } from '../state/revive.ts'
import { words } from '../words/words.ts'

/** Another chat comes to the front; an answer that is being written in this one ends with the words it has. */
export function leaveFor(go: () => void): void {
  stopAnswering()
  editing.value = undefined
  sheet.value = undefined
  showView('chat')
  go()
}

export function leaveForNewChat(): void {
  leaveFor(startChat)
  // On touch the focus would bring the keyboard over the page.
  if (!matchMedia('(pointer: coarse)').matches) focusWhenDrawn('#message')
}

/** The chats that can still be brought back. */
let removed: readonly Chat[] = []
let openBefore: string | undefined

/** Deletes chats at once, and offers for some seconds to bring them back. */
export function deleteChats(ids: readonly string[]): void {
  const wanted = chats.value.filter(({ id }) => ids.includes(id))
  if (wanted.length === 0) return
  if (answering.value !== undefined && ids.includes(answering.value.chatId)) stopAnswering()
  openBefore = ids.includes(currentId.value) ? currentId.value : undefined
  removed = wanted
  for (const { id } of wanted) removeChat(id)
  const said = words.value.chats
  const title = chatTitle(wanted[0]!) || said.untitled
  showToast({
    text: wanted.length === 1 ? said.deleted(title) : said.deletedMany(wanted.length),
    action: { word: words.value.controls.undo, run: bringBack },
  })
}

function bringBack(): void {
  putChats(removed.map((chat) => settleAnswers(chat, () => false)))
  if (openBefore !== undefined) openChat(openBefore)
  removed = []
}
