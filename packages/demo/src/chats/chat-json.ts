import { reviveProbabilities, reviveRounds } from '../state/answer-parts.ts'
import type { Answer, AnswerStats, Chat, Message } from '../state/conversation.ts'

/** Chats as a file, with all their branches, and back. A file may come from anywhere: nothing in it is believed. */

const format = 'brasa.chats'
const version = 1

export type ImportProblem =
  | { readonly kind: 'too-large' | 'not-json' | 'not-chats' | 'newer' }
  /** Counted from 1, as a person does; without a message it is the chat itself. */
  | { readonly kind: 'damaged'; readonly chat: number; readonly message?: number; readonly field: string }

export type Imported =
  | { readonly chats: readonly Chat[]; readonly problem?: undefined }
  | { readonly chats?: undefined; readonly problem: ImportProblem }

export function chatsToJson(chats: readonly Chat[]): string {
  return JSON.stringify({ format, version, chats }, null, 1)
}

/** All of the file's chats, or what is wrong with it: half a file would look like a whole one. */
export function chatsFromJson(text: string, now: number): Imported {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    return { problem: { kind: 'not-json' } }
  }
  return chatsFromFile(file, now)
}

export function chatsFromFile(file: unknown, now: number): Imported {
  const found = record(file)
  if (found?.format !== format || !Array.isArray(found.chats) || typeof found.version !== 'number') {
    return { problem: { kind: 'not-chats' } }
  }
  if (found.version > version) return { problem: { kind: 'newer' } }
  const chats: Chat[] = []
  for (const [index, stored] of found.chats.entries()) {
    const read = readChat(stored, index + 1, now)
    if ('kind' in read) return { problem: read }
    chats.push(read)
  }
  return { chats }
}

function readChat(stored: unknown, number: number, now: number): Chat | ImportProblem {
  const damaged = (field: string, message?: number): ImportProblem => ({
    kind: 'damaged',
    chat: number,
    field,
    ...(message !== undefined && { message }),
  })
  const chat = record(stored)
  if (chat === undefined || !isId(chat.id)) return damaged('id')
  if (!isNumber(chat.updatedAt)) return damaged('updatedAt')
  if (chat.title !== undefined && typeof chat.title !== 'string') return damaged('title')
  if (!Array.isArray(chat.messages) || chat.messages.length === 0) return damaged('messages')
  const known = new Set<string>()
  const messages: Message[] = []
  for (const [index, item] of chat.messages.entries()) {
    const message = readMessage(item, known)
    if (typeof message === 'string') return damaged(message, index + 1)
    known.add(message.id)
    messages.push(message)
  }
  const title = typeof chat.title === 'string' ? chat.title.replace(/\s+/g, ' ').trim().slice(0, 200) : ''
  return {
    id: chat.id,
    updatedAt: Math.min(chat.updatedAt, now),
    ...(title !== '' && { title, renamedAt: 0 }),
    ...(isId(chat.tip) && known.has(chat.tip) && { tip: chat.tip }),
    messages,
  }
}

/** The message, or the field that is wrong. */
function readMessage(stored: unknown, known: ReadonlySet<string>): Message | string {
  const message = record(stored)
  if (message === undefined || !isId(message.id) || known.has(message.id)) return 'id'
  const { id, content, parent } = message
  if (typeof content !== 'string') return 'content'
  // Only what stands before it can be followed, so that no links lead in a circle.
  if (parent !== null && (!isId(parent) || !known.has(parent))) return 'parent'
  if (message.role === 'user') return { role: 'user', id, parent, content }
  if (message.role !== 'assistant') return 'role'
  const rounds = reviveRounds(message.rounds)
  const probabilities = reviveProbabilities(message.probabilities)
  const stats = readStats(message.stats)
  const failure = record(message.failure)
  return {
    role: 'assistant',
    id,
    parent,
    content,
    state: states.find((state) => state === message.state) ?? 'stopped',
    ...(typeof message.thought === 'string' && { thought: message.thought }),
    ...(isNumber(message.thoughtMs) && { thoughtMs: message.thoughtMs }),
    ...(stats && { stats }),
    ...(typeof failure?.code === 'string' &&
      typeof failure.message === 'string' && { failure: { code: failure.code, message: failure.message } }),
    ...(message.format === 'json' && { format: message.format }),
    ...(rounds && { rounds }),
    ...(probabilities && { probabilities }),
  }
}

const states: readonly Answer['state'][] = ['done', 'long', 'stopped', 'failed']

function readStats(stored: unknown): AnswerStats | undefined {
  const { tokens, ttftMs, tokensPerSecond, contextTokens, contextLength } = record(stored) ?? {}
  if (!isNumber(tokens) || !isNumber(ttftMs) || !isNumber(tokensPerSecond) || !isNumber(contextTokens)) {
    return undefined
  }
  return {
    tokens,
    ttftMs,
    tokensPerSecond,
    contextTokens,
    ...(isNumber(contextLength) && { contextLength }),
  }
}

const record = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined

const isId = (value: unknown): value is string => typeof value === 'string' && /^[\w-]{1,100}$/.test(value)

const isNumber = (value: unknown): value is number => Number.isFinite(value) && (value as number) >= 0
