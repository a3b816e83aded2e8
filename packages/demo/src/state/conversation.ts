import type { ChatMessage } from '@brasa/runtime'
import {
  reviveProbabilities,
  reviveRounds,
  roundMessages,
  type TokenProbability,
  type ToolRound,
} from './answer-parts.ts'

/** A chat as data, and the moves on it. Nothing here knows the page, the engine or the clock. */

export interface Chat {
  readonly id: string
  /** ms since the epoch of the last change. */
  readonly updatedAt: number
  readonly messages: readonly Message[]
}

export type Message = Question | Answer

export interface Question {
  readonly role: 'user'
  readonly id: string
  readonly content: string
}

export interface Answer {
  readonly role: 'assistant'
  readonly id: string
  readonly content: string
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

/** Adds a question and an answer that waits to be written. */
export function ask(chat: Chat, question: Question, answerId: string, now: number): Chat {
  return { ...chat, updatedAt: now, messages: [...chat.messages, question, waitingAnswer(answerId)] }
}

/** Everything up to the answer, and a new one in its place. */
export function askAgain(chat: Chat, oldAnswerId: string, answerId: string, now: number): Chat {
  const index = chat.messages.findIndex((message) => message.id === oldAnswerId)
  if (index < 0 || chat.messages[index]!.role !== 'assistant') return chat
  return { ...chat, updatedAt: now, messages: [...chat.messages.slice(0, index), waitingAnswer(answerId)] }
}

/** Everything before the question: what stays when it is asked in other words. */
export function withoutQuestion(chat: Chat, questionId: string): Chat {
  const index = chat.messages.findIndex((message) => message.id === questionId)
  return index < 0 ? chat : { ...chat, messages: chat.messages.slice(0, index) }
}

export function updateAnswer(
  chat: Chat,
  answerId: string,
  change: Partial<Omit<Answer, 'role' | 'id'>>,
): Chat {
  const messages = chat.messages.map((message) =>
    message.id === answerId && message.role === 'assistant' ? { ...message, ...change } : message,
  )
  return { ...chat, messages }
}

export function lastQuestion(chat: Chat): Question | undefined {
  return chat.messages.findLast((message) => message.role === 'user')
}

/**
 * What the model is asked to go on from: the messages before the answer, without those that came to nothing and without what
 * the model thought.
 */
export function requestMessages(chat: Chat, answerId: string, systemPrompt: string): readonly ChatMessage[] {
  const end = chat.messages.findIndex((message) => message.id === answerId)
  const before = chat.messages.slice(0, end < 0 ? undefined : end)
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
  const answer = chat.messages.findLast(
    (message) => message.role === 'assistant' && message.stats !== undefined,
  )
  return answer?.role === 'assistant' ? (answer.stats?.contextTokens ?? 0) : 0
}

const titleLength = 48

/** The first question's first line, cut at a word. */
export function chatTitle(chat: Chat): string {
  const first =
    chat.messages
      .find((message) => message.role === 'user')
      ?.content.trim()
      .split('\n', 1)[0] ?? ''
  if (first === '') return 'New chat'
  if (first.length <= titleLength) return first
  const cut = first.slice(0, titleLength)
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), titleLength / 2)).trimEnd()}…`
}

/** A chat out of storage, or undefined if it is none. An answer that was being written when the page went is stopped. */
export function reviveChat(stored: unknown): Chat | undefined {
  const chat = stored as Partial<Chat> | null | undefined
  if (typeof chat?.id !== 'string' || typeof chat.updatedAt !== 'number' || !Array.isArray(chat.messages))
    return undefined
  const messages = (chat.messages as readonly Message[]).filter(
    (message) =>
      typeof message?.id === 'string' &&
      typeof message.content === 'string' &&
      (message.role === 'user' || message.role === 'assistant'),
  )
  return {
    id: chat.id,
    updatedAt: chat.updatedAt,
    messages: messages.map((message) => (message.role === 'assistant' ? reviveAnswer(message) : message)),
  }
}

function reviveAnswer({ rounds, probabilities, ...rest }: Answer): Answer {
  const [calls, tokens] = [reviveRounds(rounds), reviveProbabilities(probabilities)]
  const isCut = rest.state === 'waiting' || rest.state === 'streaming'
  return {
    ...rest,
    ...(isCut && { state: 'stopped' }),
    ...(calls && { rounds: calls }),
    ...(tokens && { probabilities: tokens }),
  }
}

function waitingAnswer(id: string): Answer {
  return { role: 'assistant', id, content: '', state: 'waiting' }
}
