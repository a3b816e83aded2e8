import { showToast } from '../controls/toast.tsx'
import { chats, putChats } from '../state/chats.ts'
import { type Chat, chatTitle } from '../state/conversation.ts'
import { addMissing } from '../state/merge.ts'
import type { Words } from '../words/en.ts'
import { words } from '../words/words.ts'
import { chatsFromJson, chatsToJson, type Imported, type ImportProblem } from './chat-json.ts'
import { chatFromMarkdown, chatToMarkdown } from './chat-markdown.ts'

/** Text of a whole life; more is a mistake, or meant to fill the memory. */
const maxFileBytes = 200 * 2 ** 20

export function exportAll(): void {
  const day = new Date().toISOString().slice(0, 10)
  download(`brasa-chats-${day}.json`, 'application/json', chatsToJson(chats.value))
}

export function exportJson(chat: Chat): void {
  download(`${fileName(chat)}.json`, 'application/json', chatsToJson([chat]))
}

export function exportMarkdown(chat: Chat): void {
  const said = words.value.chats
  const title = chatTitle(chat) || said.untitled
  const text = chatToMarkdown(chat, title, { you: said.you, answer: said.answer })
  download(`${fileName(chat)}.md`, 'text/markdown', text)
}

/** Lets the person choose files of chats, and says what came of it. */
export function chooseImport(): void {
  const input = document.createElement('input')
  input.type = 'file'
  input.multiple = true
  input.accept = '.json,.md,application/json,text/markdown'
  input.onchange = () => void importFiles([...(input.files ?? [])])
  input.click()
}

export async function importFiles(files: readonly File[]): Promise<void> {
  let [added, known] = [0, 0]
  for (const file of files) {
    const read = await readFile(file)
    if (read.problem !== undefined) {
      const said = words.value.chats
      showToast({
        text: problemSentence(file.name, read.problem, said),
        action: { word: said.chooseAnother, run: chooseImport },
        stays: true,
      })
      return
    }
    const next = takeChats(read.chats)
    added += next.added
    known += next.known
  }
  const said = words.value.chats
  showToast({ text: said.imported(added, known) })
}

export function problemSentence(file: string, problem: ImportProblem, said: Words['chats']): string {
  switch (problem.kind) {
    case 'too-large':
      return said.fileTooLarge(file)
    case 'not-json':
      return said.fileNotJson(file)
    case 'not-chats':
      return said.fileNotChats(file)
    case 'newer':
      return said.fileNewer(file)
    case 'damaged': {
      const { chat, message, field } = problem
      return message === undefined
        ? said.damagedChat(file, chat, field)
        : said.damagedMessage(file, chat, message, field)
    }
  }
}

async function readFile(file: File): Promise<Imported> {
  if (file.size > maxFileBytes) return { problem: { kind: 'too-large' } }
  const text = await file.text()
  return /\.(md|markdown)$/i.test(file.name)
    ? chatFromMarkdown(text, Date.now())
    : chatsFromJson(text, Date.now())
}

/** A chat that is here already only gets what it lacks. */
function takeChats(imported: readonly Chat[]): { added: number; known: number } {
  const here = new Map(chats.value.map((chat) => [chat.id, chat]))
  let added = 0
  for (const chat of imported) {
    const mine = here.get(chat.id)
    const next = mine === undefined ? chat : addMissing(mine, chat)
    if (next !== mine) added += 1
    here.set(chat.id, next)
  }
  const ids = new Set(imported.map(({ id }) => id))
  putChats([...here.values()].filter(({ id }) => ids.has(id)))
  return { added, known: imported.length - added }
}

function fileName(chat: Chat): string {
  const name = chatTitle(chat)
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 60)
  return name === '' ? 'brasa-chat' : name
}

function download(name: string, type: string, text: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
