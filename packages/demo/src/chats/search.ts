import { type Chat, chatTitle, type Message } from '../state/conversation.ts'

export interface Found {
  readonly chat: Chat
  /** Where in the chat it is said; undefined where the title says it all. */
  readonly message?: Message
  readonly snippet?: Snippet
}

export interface Snippet {
  readonly before: string
  readonly hit: string
  readonly after: string
}

const [before, after] = [30, 60]

/** Chats that have every word of the query in their title or in what was said, on any branch; in the order they came. */
export function searchChats(chats: readonly Chat[], query: string): readonly Found[] {
  const wanted = fold(query).split(/\s+/).filter(Boolean)
  if (wanted.length === 0) return chats.map((chat) => ({ chat }))
  return chats.flatMap((chat): readonly Found[] => {
    const title = fold(chatTitle(chat))
    const said = wanted.filter((word) => !title.includes(word))
    if (said.length === 0) return [{ chat }]
    const inText = said.every((word) => chat.messages.some((message) => folded(message).includes(word)))
    if (!inText) return []
    const message = chat.messages.find((candidate) => folded(candidate).includes(said[0]!))!
    return [{ chat, message, snippet: snippetOf(message.content, said[0]!) }]
  })
}

/** A message never changes: it is folded once. */
const foldedMessages = new WeakMap<Message, string>()

function folded(message: Message): string {
  let text = foldedMessages.get(message)
  if (text === undefined) {
    text = fold(message.content)
    foldedMessages.set(message, text)
  }
  return text
}

/** Neither case nor accents matter to who searches. */
function fold(text: string): string {
  const lower = text.toLowerCase()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has no accents, and is most of it.
  return /^[\x00-\x7f]*$/.test(lower) ? lower : lower.normalize('NFD').replace(/\p{M}+/gu, '')
}

function snippetOf(content: string, word: string): Snippet {
  const flat = content.replace(/\s+/g, ' ').normalize('NFC')
  const at = Math.max(0, fold(flat).indexOf(word))
  const start = Math.max(0, at - before)
  return {
    before: `${start > 0 ? '…' : ''}${flat.slice(start, at)}`,
    hit: flat.slice(at, at + word.length),
    after: flat.slice(at + word.length, at + word.length + after),
  }
}
