import { type Chat, shownMessages } from '../state/conversation.ts'
import { chatsFromFile, type Imported } from './chat-json.ts'

/**
 * A chat to read elsewhere: what is shown of it, and no thoughts. Comments, which no reader of Markdown shows, say whose words
 * come next, so that the file can be taken in again in any language.
 */
export function chatToMarkdown(chat: Chat, title: string, names: { you: string; answer: string }): string {
  const parts = shownMessages(chat).map(({ role, id, content }) => {
    const name = role === 'user' ? names.you : names.answer
    return `## ${name} <!-- brasa:${role} ${id} -->\n\n${content.replace(marked, '\\$&').trim()}\n`
  })
  return [`# ${title} <!-- brasa:chat ${chat.id} ${chat.updatedAt} -->\n`, ...parts].join('\n')
}

/** Lines that would be taken for a heading of ours; a backslash before one keeps it text. */
const marked = /^\\*#{1,2} .*<!-- brasa:(chat|user|assistant) .*-->$/gm
const heading = /^# (.*) <!-- brasa:chat ([\w-]+) (\d+) -->\n/
const parts = /^## .* <!-- brasa:(user|assistant) ([\w-]+) -->$/gm

export function chatFromMarkdown(text: string, now: number): Imported {
  const normal = text.replace(/\r\n?/g, '\n').replace(/^\uFEFF/, '')
  const [, title, chatId, updatedAt] = heading.exec(normal) ?? []
  const heads = [...normal.matchAll(parts)]
  if (chatId === undefined || heads.length === 0) return { problem: { kind: 'not-chats' } }
  const messages = heads.map(({ 0: { length }, 1: role, 2: id, index }, number) => ({
    role,
    id,
    parent: heads[number - 1]?.[2] ?? null,
    content: normal
      .slice(index + length, heads[number + 1]?.index)
      .trim()
      .replace(marked, (line) => line.slice(line.startsWith('\\') ? 1 : 0)),
    state: 'done',
  }))
  const chat = { id: chatId, title, updatedAt: Number(updatedAt), messages }
  return chatsFromFile({ format: 'brasa.chats', version: 1, chats: [chat] }, now)
}
