import type { ChatMessage } from '@brasa/runtime'
import { roundMessages, type TokenProbability, type ToolRound } from './answer-parts.ts'
import { newestEnd, pathTo, siblings } from './branches.ts'

/** A chat as data, and the moves on it. Nothing here knows the page, the engine or the clock. */

export interface Chat {
  readonly id: string
  /** ms since the epoch of the last change. */
  readonly updatedAt: number
  /** The person's; without it the first line is the title. */
  readonly title?: string
  /** ms since the epoch: of two tabs' titles the later one stays. */
  readonly renamedAt?: number
  /** The last message of the branch that is shown; without it the newest. */
  readonly tip?: string
  /** Those of all branches, in the order they were made. */
  readonly messages: readonly Message[]
}

export type Message = Question | Answer

export interface Question {
  readonly role: 'user'
  readonly id: string
  /** The message it follows; null at the beginning. */
  readonly parent: string | null
  readonly content: string
}

export interface Answer {
  readonly role: 'assistant'
  readonly id: string
  readonly parent: string | null
  readonly content: string
  /** ms since the epoch: of two tabs' versions the later one stays. */
  readonly changedAt?: number
  /** What the model thought before it answered, if it does such a thing. */
  readonly thought?: string
  /** How long it thought; not there yet while it does. */
  readonly thoughtMs?: number
  /** `long`: it ended at the longest answer allowed, or at the end of the context. */
  readonly state: 'waiting' | 'streaming' | 'done' | 'long' | 'stopped' | 'failed'
  readonly stats?: AnswerStats
  readonly failure?: Failure
  /** Calls of tools, before the words of `content`. */
  readonly rounds?: readonly ToolRound[]
  /** It was asked for as JSON. */
  readonly format?: 'json'
  /** Token by token, if they were to be kept. */
  readonly probabilities?: readonly TokenProbability[]
}

/** Measured by the runtime. */
export interface AnswerStats {
  readonly tokens: number
  readonly ttftMs: number
  readonly tokensPerSecond: number
  /** Tokens of the context in use after this answer. */
  readonly contextTokens: number
  /** Tokens that the context held, if known. */
  readonly contextLength?: number
}

export interface Failure {
  readonly code: string
  /** A sentence that says what to do. */
  readonly message: string
}

export function newChat(id: string, now: number): Chat {
  return { id, updatedAt: now, messages: [] }
}

/** The messages that are shown, from the first to the last. */
export function shownMessages(chat: Chat): readonly Message[] {
  let path = paths.get(chat)
  if (path === undefined) {
    path = pathTo(chat.messages, chat.tip)
    paths.set(chat, path)
  }
  return path
}

/** A chat never changes: a change is another chat. */
const paths = new WeakMap<Chat, readonly Message[]>()

type Asked = Omit<Question, 'parent'>

/** Adds a question at the end of what is shown, and an answer that waits to be written. */
export function ask(chat: Chat, question: Asked, answerId: string, now: number): Chat {
  return askAfter(chat, shownMessages(chat).at(-1)?.id ?? null, question, answerId, now)
}

/** A question in other words, beside the old one, which stays on a branch of its own. */
export function askInstead(
  chat: Chat,
  oldQuestionId: string,
  question: Asked,
  answerId: string,
  now: number,
): Chat {
  const old = chat.messages.find((message) => message.id === oldQuestionId)
  return old?.role === 'user' ? askAfter(chat, old.parent, question, answerId, now) : chat
}

function askAfter(
  chat: Chat,
  parent: string | null,
  { role, id, content }: Asked,
  answerId: string,
  now: number,
): Chat {
  const messages = [...chat.messages, { role, id, parent, content }, waitingAnswer(answerId, id)]
  return { ...chat, updatedAt: now, tip: answerId, messages }
}

/** Another answer to the same question; the old one stays on a branch of its own. */
export function askAgain(chat: Chat, oldAnswerId: string, answerId: string, now: number): Chat {
  const old = chat.messages.find((message) => message.id === oldAnswerId)
  if (old?.role !== 'assistant') return chat
  const messages = [...chat.messages, waitingAnswer(answerId, old.parent)]
  return { ...chat, updatedAt: now, tip: answerId, messages }
}

/** Shows the sibling that is `step` away, with the newest of what follows it. */
export function showSibling(chat: Chat, id: string, step: 1 | -1): Chat {
  const all = siblings(chat.messages, id)
  const next = all[all.findIndex((message) => message.id === id) + step]
  return next === undefined ? chat : { ...chat, tip: newestEnd(chat.messages, next.id) }
}

/** Shows a branch that holds the message. */
export function showMessage(chat: Chat, id: string): Chat {
  if (shownMessages(chat).some((message) => message.id === id)) return chat
  return { ...chat, tip: newestEnd(chat.messages, id) }
}

/** What was said up to the message, as a chat of its own. */
export function branchOff(chat: Chat, messageId: string, id: string, title: string, now: number): Chat {
  const messages = pathTo(chat.messages, messageId)
  return { id, updatedAt: now, title, renamedAt: now, tip: messageId, messages }
}

/** An empty title gives the first line back its place. */
export function renameChat(chat: Chat, title: string, now: number): Chat {
  const { title: _, ...untitled } = chat
  const next = title.replace(/\s+/g, ' ').trim().slice(0, 200)
  return { ...untitled, renamedAt: now, ...(next !== '' && { title: next }) }
}

export function updateAnswer(
  chat: Chat,
  answerId: string,
  change: Partial<Omit<Answer, 'role' | 'id' | 'parent'>>,
): Chat {
  const messages = chat.messages.map((message) =>
    message.id === answerId && message.role === 'assistant' ? { ...message, ...change } : message,
  )
  return { ...chat, messages }
}

export function lastQuestion(chat: Chat): Question | undefined {
  return shownMessages(chat).findLast((message) => message.role === 'user')
}

/**
 * What the model is asked to go on from: the messages before the answer, without those that came to nothing and without what
 * the model thought.
 */
export function requestMessages(chat: Chat, answerId: string, systemPrompt: string): readonly ChatMessage[] {
  const answer = chat.messages.find((message) => message.id === answerId)
  const before =
    answer === undefined
      ? shownMessages(chat)
      : answer.parent === null
        ? []
        : pathTo(chat.messages, answer.parent)
  const system = systemPrompt.trim() === '' ? [] : [{ role: 'system' as const, content: systemPrompt }]
  return [...system, ...before.flatMap(spokenMessages)]
}

/** A message as the model reads it again: calls and their results come before the words. */
function spokenMessages(message: Message): readonly ChatMessage[] {
  const { role, content } = message
  const calls = message.role === 'assistant' ? roundMessages(message.rounds) : []
  return content === '' ? calls : [...calls, { role, content }]
}

/** Tokens the chat held after its last answer; 0 before the first. */
export function contextTokens(chat: Chat): number {
  const answer = shownMessages(chat).findLast(
    (message) => message.role === 'assistant' && message.stats !== undefined,
  )
  return answer?.role === 'assistant' ? (answer.stats?.contextTokens ?? 0) : 0
}

const titleLength = 48

/** What the person calls it; else the first question's first line, cut at a word. Empty for a chat with no words. */
export function chatTitle(chat: Chat): string {
  let title = titles.get(chat)
  if (title === undefined) {
    title = chat.title ?? firstLine(shownMessages(chat).find(({ role }) => role === 'user')?.content ?? '')
    titles.set(chat, title)
  }
  return title
}

const titles = new WeakMap<Chat, string>()

function firstLine(text: string): string {
  const first = text.trim().split('\n', 1)[0]!
  if (first.length <= titleLength) return first
  const cut = first.slice(0, titleLength)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), titleLength / 2)).trimEnd()}…`
}

function waitingAnswer(id: string, parent: string | null): Answer {
  return { role: 'assistant', id, parent, content: '', state: 'waiting' }
}
