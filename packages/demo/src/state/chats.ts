import { computed, effect, signal } from '@preact/signals'
import { type Chat, newChat, reviveChat } from './conversation.ts'
import { readStored, removeStored, storedKeys, writeStored } from './storage.ts'

/** One key a chat, so that two tabs that write different chats cannot undo each other. */
const prefix = 'brasa.chat.'
const currentKey = 'brasa.current'
/** localStorage holds about 5 MB; past these the oldest chats go. */
const maxChats = 50

/** Chats with something in them, newest first. */
export const chats = signal<readonly Chat[]>([])
const blank = signal<Chat>(newChat(crypto.randomUUID(), Date.now()))
const currentId = signal<string | undefined>(undefined)

export const currentChat = computed<Chat>(
  () => chats.value.find((chat) => chat.id === currentId.value) ?? blank.value,
)

export function startChat(): void {
  blank.value = newChat(crypto.randomUUID(), Date.now())
  currentId.value = undefined
}

export function openChat(id: string): void {
  currentId.value = id
}

/** Puts the changed chat in the list and shows it. Does not store it: an answer changes with every frame. */
export function putChat(chat: Chat): void {
  const others = chats.value.filter((other) => other.id !== chat.id)
  chats.value = [chat, ...others].sort((a, b) => b.updatedAt - a.updatedAt)
}

/** Changes a chat that may meanwhile have been removed. */
export function changeChat(id: string, change: (chat: Chat) => Chat): void {
  chats.value = chats.value.map((chat) => (chat.id === id ? change(chat) : chat))
}

export function storeChat(id: string): void {
  const chat = chats.value.find((candidate) => candidate.id === id)
  if (chat === undefined) return
  while (chats.value.length > maxChats) removeChat(chats.value.at(-1)!.id)
  // A full store gives up its oldest chats, never the one at hand.
  while (!writeStored(prefix + id, chat) && chats.value.length > 1) {
    const oldest = chats.value.findLast((candidate) => candidate.id !== id)
    if (oldest === undefined) return
    removeChat(oldest.id)
  }
}

export function removeChat(id: string): void {
  chats.value = chats.value.filter((chat) => chat.id !== id)
  removeStored(prefix + id)
  if (currentId.value === id) startChat()
}

/** Takes the stored chats, follows other tabs, and remembers which chat is open. */
export function rememberChats(): void {
  const load = () =>
    storedKeys(prefix)
      .flatMap((key) => reviveChat(readStored(key)) ?? [])
      .sort((a, b) => b.updatedAt - a.updatedAt)
  chats.value = load()
  const current = readStored(currentKey)
  currentId.value = typeof current === 'string' ? current : undefined
  effect(() => {
    writeStored(currentKey, currentId.value ?? null)
  })
  // An answer that is being written is stored as far as it has come.
  addEventListener('pagehide', () => storeChat(currentChat.value.id))
  addEventListener('storage', (event) => {
    if (event.key?.startsWith(prefix)) takeFromOtherTab(event.key.slice(prefix.length))
  })
}

/** The other tab's version of a chat, unless it is the one open here. */
function takeFromOtherTab(id: string): void {
  if (id === currentId.value) return
  const stored = reviveChat(readStored(prefix + id))
  if (stored !== undefined) putChat(stored)
  else chats.value = chats.value.filter((chat) => chat.id !== id)
}
