import { computed, effect, signal } from '@preact/signals'
import { heldAnswers, whenAnswerEnds, writesHere } from './answer-locks.ts'
import { type ChatStore, openChatStore, type StoreTrouble, storeTrouble } from './chat-store.ts'
import { chats, putChats, removeChat, wantedId } from './chats.ts'
import type { Chat } from './conversation.ts'
import { isBusy, mergeChats } from './merge.ts'
import { reviveChat, settleAnswers } from './revive.ts'
import { readStored, removeStored, storedKeys } from './storage.ts'

/** Whether the chats of this page are in the store; each trouble leaves them in memory and is told to the person. */
export const keeping = signal<'opening' | 'kept' | Exclude<StoreTrouble, 'lost'>>('opening')

/** The chat that was open is still being read. */
export const waitsForChat = computed(
  () => keeping.value === 'opening' && wantedId.value !== undefined && chats.value.length === 0,
)

/** How much of an answer that streams a crash may take. All else is written at once: a page that goes gives no time for it. */
const writeEveryMs = 800
const openWithinMs = 10_000
/** Chats from before there was a database lie in localStorage, a key a chat. */
const legacyPrefix = 'brasa.chat.'

let store: ChatStore | undefined
let channel: BroadcastChannel | undefined
/** Each chat as it lies in the store. What differs is written, and what is missing is removed. */
const written = new Map<string, Chat>()
let timer: ReturnType<typeof setTimeout> | undefined
let lastWriteAt = 0
let lastWrite: Promise<void> = Promise.resolve()
/** The last write has not begun, and takes what changes until it does. */
let isWriteQueued = false
let numReopened = 0

interface Notice {
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** Takes the stored chats, keeps every change from now on, and follows other tabs. Never throws. */
export async function keepChats(): Promise<void> {
  takeLegacy()
  channel = new BroadcastChannel('brasa.chats')
  channel.onmessage = ({ data }: MessageEvent<Notice>) => void follow(data)
  addEventListener('pagehide', () => void writeChats())
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') void writeChats()
  })
  addEventListener('beforeunload', (event) => {
    if (keeping.value !== 'kept' && numUnkept() > 0) event.preventDefault()
  })
  await openStore()
  effect(() => {
    chats.value
    // A store in trouble is not asked again with every word.
    if (keeping.peek() === 'kept' && hasLasting()) void writeChats()
    else timer ??= setTimeout(() => void writeChats(), Math.max(0, lastWriteAt + writeEveryMs - Date.now()))
  })
}

/** Whether something is to be written that is more than the next words of an answer. */
function hasLasting(): boolean {
  const now = chats.peek()
  const ids = new Set(now.map(({ id }) => id))
  return (
    [...written.keys()].some((id) => !ids.has(id)) ||
    now.some((chat) => written.get(chat.id) !== chat && !isAnswering(chat))
  )
}

function isAnswering({ messages }: Chat): boolean {
  return messages.some((message) => message.role === 'assistant' && isBusy(message))
}

/** Writes now what has changed. */
export function writeChats(): Promise<void> {
  clearTimeout(timer)
  timer = undefined
  lastWriteAt = Date.now()
  if (!isWriteQueued) lastWrite = lastWrite.then(write)
  isWriteQueued = true
  return lastWrite
}

/** After a trouble that the person may have dealt with. */
export async function tryKeeping(): Promise<void> {
  numReopened = 0
  if (store === undefined) await openStore()
  else await writeChats()
}

/** Chats that go with this tab. */
export function numUnkept(): number {
  return chats.peek().filter((chat) => written.get(chat.id) !== chat).length
}

async function openStore(): Promise<void> {
  // A browser that never answers gives no storage either; should it answer later, that is taken.
  const late = setTimeout(() => {
    if (keeping.value === 'opening') keeping.value = 'missing'
  }, openWithinMs)
  let hasEnded = false
  try {
    const opened = await openChatStore((trouble) => {
      hasEnded = true
      if (store === opened) store = undefined
      if (trouble === 'lost') written.clear()
      // A store that keeps ending is none.
      if (trouble === 'lost' && numReopened++ < 5) void openStore()
      else keeping.value = trouble === 'newer' ? 'newer' : 'missing'
    })
    const found = await settled(await opened.all())
    takeStored(found)
    if (hasEnded) {
      // While it was read, and it has told of that. What a newer page has taken over is there; all else is to be written again.
      if (keeping.value !== 'newer') written.clear()
      return
    }
    store = opened
    keeping.value = 'kept'
    await writeChats()
    for (const key of storedKeys(legacyPrefix)) {
      if (written.has(key.slice(legacyPrefix.length))) removeStored(key)
    }
  } catch (error) {
    if (!hasEnded) keeping.value = storeTrouble(error) === 'newer' ? 'newer' : 'missing'
  } finally {
    clearTimeout(late)
  }
}

async function write(): Promise<void> {
  isWriteQueued = false
  const to = store
  if (to === undefined) return
  const now = chats.peek()
  const ids = new Set(now.map(({ id }) => id))
  const changed = now.filter((chat) => written.get(chat.id) !== chat)
  const removed = [...written.keys()].filter((id) => !ids.has(id))
  if (changed.length === 0 && removed.length === 0) return
  try {
    // First, since it makes room.
    if (removed.length > 0) await to.remove(removed)
    for (const id of removed) written.delete(id)
    await writeChanged(to, changed)
    // A store that has ended meanwhile has told of that.
    if (store === to) keeping.value = 'kept'
  } catch (error) {
    const trouble = storeTrouble(error)
    // A store that was lost says so by itself, and is opened again; a write that was cut off is made again.
    if (trouble !== 'lost' && store === to) keeping.value = trouble
    else timer ??= setTimeout(() => void writeChats(), writeEveryMs)
  }
  const known = changed.map(({ id }) => id).filter((id) => written.has(id))
  channel?.postMessage({ changed: known, removed } satisfies Notice)
}

async function writeChanged(to: ChatStore, changed: readonly Chat[]): Promise<void> {
  if (changed.length === 0) return
  let merged: readonly Chat[]
  try {
    merged = await to.write(changed)
  } catch (error) {
    if (storeTrouble(error) !== 'full' || changed.length === 1) throw error
    // As many as there is room for.
    const written = await Promise.allSettled(changed.map((chat) => writeChanged(to, [chat])))
    if (written.some(({ status }) => status === 'rejected')) throw error
    return
  }
  merged.forEach((chat, index) => {
    const mine = chats.peek().find(({ id }) => id === chat.id)
    if (mine === changed[index]) {
      written.set(chat.id, chat)
      if (chat !== mine) putChats([chat])
    } else if (mine !== undefined) {
      // It has changed while it was written: the next time brings the rest.
      written.set(chat.id, chat)
      putChats([mergeChats(chat, mine)])
    }
  })
}

/** What lies in the store joins what is here. */
function takeStored(found: readonly Chat[]): void {
  const here = new Map(chats.peek().map((chat) => [chat.id, chat]))
  const taken = found.map((stored) => {
    const mine = here.get(stored.id)
    const merged = mine === undefined ? stored : mergeChats(stored, mine)
    const isClean = mine === undefined || written.get(mine.id) === mine
    if (isClean && merged.messages.length === stored.messages.length) written.set(stored.id, merged)
    return merged
  })
  if (taken.some((chat) => here.get(chat.id) !== chat)) putChats(taken)
}

async function follow({ changed, removed }: Notice): Promise<void> {
  for (const id of removed) {
    written.delete(id)
    const chat = chats.peek().find((candidate) => candidate.id === id)
    // An answer that is being written here stays, and its chat with it.
    if (chat !== undefined && !chat.messages.some((message) => writesHere(message.id))) removeChat(id)
  }
  await takeFromStore(changed)
}

async function takeFromStore(ids: readonly string[]): Promise<void> {
  if (store === undefined || ids.length === 0) return
  try {
    takeStored(await settled(await store.read(ids)))
  } catch {
    // The next change brings it.
  }
}

/** Answers that nobody writes any more are stopped; those of another tab are looked at again when that tab ends them. */
async function settled(found: readonly Chat[]): Promise<readonly Chat[]> {
  const busy = found.flatMap((chat) =>
    chat.messages.flatMap((message) =>
      message.role === 'assistant' && isBusy(message) ? [{ chatId: chat.id, answerId: message.id }] : [],
    ),
  )
  if (busy.length === 0) return found
  const held = await heldAnswers()
  for (const { chatId, answerId } of busy) {
    if (held.has(answerId) && !writesHere(answerId)) {
      whenAnswerEnds(answerId, () => void takeFromStore([chatId]))
    }
  }
  return found.map((chat) => settleAnswers(chat, (id) => held.has(id)))
}

/** They leave localStorage once the database has them. */
function takeLegacy(): void {
  const found = storedKeys(legacyPrefix).flatMap((key) => reviveChat(readStored(key)) ?? [])
  putChats(found.map((chat) => settleAnswers(chat, () => false)))
}
