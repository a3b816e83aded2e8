import { computed, effect, signal } from '@preact/signals'
import { type Chat, newChat } from './conversation.ts'
import { readStored, writeStored } from './storage.ts'

const currentKey = 'brasa.current'

/** Chats with something in them, newest first. What is put here is kept: see keeping.ts. */
export const chats = signal<readonly Chat[]>([])
const blank = signal<Chat>(newChat(crypto.randomUUID(), Date.now()))
/** The chat that is wanted; undefined for a new one. */
export const wantedId = signal<string | undefined>(undefined)

export const currentChat = computed<Chat>(
  () => chats.value.find((chat) => chat.id === wantedId.value) ?? blank.value,
)
/** Stays the same while an answer is written, so that what only needs the name is not drawn with every word. */
export const currentId = computed(() => currentChat.value.id)

export function startChat(): void {
  blank.value = newChat(crypto.randomUUID(), Date.now())
  wantedId.value = undefined
}

export function openChat(id: string): void {
  wantedId.value = id
}

/** Puts a chat that is new or has changed in the list. */
export function putChat(chat: Chat): void {
  putChats([chat])
}

export function putChats(changed: readonly Chat[]): void {
  const ids = new Set(changed.map(({ id }) => id))
  const others = chats.value.filter(({ id }) => !ids.has(id))
  chats.value = [...changed, ...others].sort((a, b) => b.updatedAt - a.updatedAt)
}

/** Changes a chat that may meanwhile have been removed. */
export function changeChat(id: string, change: (chat: Chat) => Chat): void {
  chats.value = chats.value.map((chat) => (chat.id === id ? change(chat) : chat))
}

export function removeChat(id: string): void {
  chats.value = chats.value.filter((chat) => chat.id !== id)
  if (wantedId.value === id) startChat()
}

/** Remembers from now on which chat is open. */
export function rememberCurrent(): void {
  const current = readStored(currentKey)
  wantedId.value = typeof current === 'string' ? current : undefined
  effect(() => {
    writeStored(currentKey, wantedId.value ?? null)
  })
}

/** `#new`, as the app's shortcut has it, opens a new chat; once, for a reload is none. */
export function startAsAsked(): void {
  if (location.hash !== '#new') return
  history.replaceState(null, '', '#chat')
  startChat()
}
