import { reviveProbabilities, reviveRounds } from './answer-parts.ts'
import type { Answer, Chat, Message } from './conversation.ts'
import { isBusy } from './merge.ts'

/** A chat out of storage, of any age, or undefined if it is none. */
export function reviveChat(stored: unknown): Chat | undefined {
  const chat = stored as Partial<Chat> | null | undefined
  if (typeof chat?.id !== 'string' || typeof chat.updatedAt !== 'number' || !Array.isArray(chat.messages))
    return undefined
  const found = (chat.messages as readonly Message[]).filter(
    (message) =>
      typeof message?.id === 'string' &&
      typeof message.content === 'string' &&
      (message.role === 'user' || message.role === 'assistant'),
  )
  const messages = linked(found).map((message) =>
    message.role === 'assistant' ? reviveAnswer(message) : message,
  )
  return {
    id: chat.id,
    updatedAt: chat.updatedAt,
    ...(typeof chat.title === 'string' && { title: chat.title }),
    ...(typeof chat.renamedAt === 'number' && { renamedAt: chat.renamedAt }),
    ...(typeof chat.tip === 'string' && { tip: chat.tip }),
    messages,
  }
}

/** Nobody writes these answers any more: they are stopped, with the words they have. Returns the chat itself if there are none. */
export function settleAnswers(chat: Chat, isWritten: (answerId: string) => boolean): Chat {
  const isCut = (message: Message) =>
    message.role === 'assistant' && isBusy(message) && !isWritten(message.id)
  if (!chat.messages.some(isCut)) return chat
  const messages = chat.messages.map((message) =>
    isCut(message) ? ({ ...message, state: 'stopped' } as Answer) : message,
  )
  return { ...chat, messages }
}

/** Chats from before there were branches are one line: each message follows the one before it. */
function linked(messages: readonly Message[]): readonly Message[] {
  const known = new Set<string>()
  let before: string | null = null
  return messages.map((message) => {
    const { parent = before } = message as { parent?: string | null }
    const isKnown = parent !== null && known.has(parent)
    before = message.id
    known.add(message.id)
    return { ...message, parent: isKnown ? parent : null }
  })
}

function reviveAnswer({ rounds, probabilities, ...rest }: Answer): Answer {
  const [calls, tokens] = [reviveRounds(rounds), reviveProbabilities(probabilities)]
  return { ...rest, ...(calls && { rounds: calls }), ...(tokens && { probabilities: tokens }) }
}
