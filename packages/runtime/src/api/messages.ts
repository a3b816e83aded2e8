import { BrasaError } from '../errors.ts'
import type { ChatMessage } from './types.ts'

const roles = ['system', 'user', 'assistant'] as const satisfies readonly ChatMessage['role'][]

/** @throws BrasaError `invalid_request` that names the message and what is wrong with it */
export function parseMessages(messages: unknown): readonly ChatMessage[] {
  if (!Array.isArray(messages)) {
    throw invalid(`"messages" is ${kindOf(messages)}; it must be a list of { role, content }.`)
  }
  if (messages.length === 0) {
    throw invalid('"messages" is empty; give at least one, such as { role: "user", content: "Hello" }.')
  }
  return messages.map((message: unknown, index) => parseMessage(message, `messages[${index}]`))
}

function parseMessage(message: unknown, name: string): ChatMessage {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    throw invalid(`${name} is ${kindOf(message)}; it must be { role, content }.`)
  }
  const { role, content, reasoning_content: thought } = message as Record<string, unknown>
  const knownRole = roles.find((known) => known === role)
  if (!knownRole) {
    const given = typeof role === 'string' ? `"${role}"` : kindOf(role)
    throw invalid(`${name}.role is ${given}; known roles are ${roles.join(', ')}.`)
  }
  if (typeof content !== 'string') {
    throw invalid(`${name}.content is ${kindOf(content)}; it must be a string.`)
  }
  // As answers come: some clients send a null back.
  if (thought === undefined || thought === null) return { role: knownRole, content }
  if (typeof thought !== 'string' || knownRole !== 'assistant') {
    throw invalid(
      `${name}.reasoning_content is ${kindOf(thought)}; it must be a string, and the assistant's.`,
    )
  }
  return { role: knownRole, content, reasoning_content: thought }
}

/** @throws BrasaError `invalid_request` where `request` is no object or `stream` no boolean */
export function parseRequest<Request extends object>(request: Request): Request & { stream?: boolean } {
  if (typeof request !== 'object' || request === null) {
    throw invalid(`The request is ${kindOf(request)}; it must be an object.`)
  }
  const { stream } = request as { stream?: unknown }
  if (stream !== undefined && typeof stream !== 'boolean') {
    throw invalid(`"stream" is ${kindOf(stream)}; it must be true or false.`)
  }
  return request
}

/** @throws BrasaError `invalid_request` */
export function parsePrompt(prompt: unknown): string {
  if (typeof prompt !== 'string') throw invalid(`"prompt" is ${kindOf(prompt)}; it must be a string.`)
  return prompt
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value).slice(0, 40)}`
}

function invalid(message: string): BrasaError {
  return new BrasaError('invalid_request', { message })
}
