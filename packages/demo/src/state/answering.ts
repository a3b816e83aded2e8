import type { Engine } from '@brasa/runtime'
import { batch, signal } from '@preact/signals'
import { holdAnswer } from './answer-locks.ts'
import { answerOptions } from './answer-options.ts'
import { type AnswerChange, streamAnswer } from './answer-stream.ts'
import { changeChat, currentChat, openChat, putChat } from './chats.ts'
import { ask, askAgain, askInstead, requestMessages, updateAnswer } from './conversation.ts'
import { writeChats } from './keeping.ts'
import { rememberSpeed } from './measured.ts'
import { loadModel, model, reference, refreshMemory, refreshStored } from './model.ts'
import { asWork } from './running.ts'
import { settings } from './settings.ts'

/** The answer that is being written, if any: one at a time, as there is one engine. */
export const answering = signal<{ readonly chatId: string; readonly answerId: string } | undefined>(undefined)
/** Tokens a second of this page's answers, oldest first, as the runtime measured them. */
export const speeds = signal<readonly number[]>([])

const maxSpeeds = 40
let stop: AbortController | undefined

/** Asks in the open chat; beside `replacing`, on a branch of its own, when a question is edited. */
export async function askQuestion(text: string, replacing?: string): Promise<void> {
  if (model.value.kind !== 'ready' || answering.value !== undefined) return
  const base = currentChat.value
  const answerId = crypto.randomUUID()
  const question = { role: 'user', id: crypto.randomUUID(), content: text } as const
  const now = Date.now()
  putChat(
    replacing === undefined
      ? ask(base, question, answerId, now)
      : askInstead(base, replacing, question, answerId, now),
  )
  openChat(base.id)
  await writeAnswer(model.value.engine, base.id, answerId)
}

/** Another answer to the same question. */
export async function answerAgain(oldAnswerId: string): Promise<void> {
  if (model.value.kind !== 'ready' || answering.value !== undefined) return
  const answerId = crypto.randomUUID()
  const chat = askAgain(currentChat.value, oldAnswerId, answerId, Date.now())
  putChat(chat)
  await writeAnswer(model.value.engine, chat.id, answerId)
}

/** After the device or the worker was lost: the engine loads the model afresh and answers again. */
export async function reloadAndAnswer(failedAnswerId: string, code: string): Promise<void> {
  // An engine replaces what it lost by itself, and only it knows how often that was.
  const heals = model.value.kind === 'ready' && (code === 'device_lost' || code === 'worker_lost')
  if (!heals) await loadModel(reference.value)
  await answerAgain(failedAnswerId)
}

/** Ends the answer that is being written; its words stay. */
export function stopAnswering(): void {
  stop?.abort()
}

function writeAnswer(engine: Engine, chatId: string, answerId: string): Promise<void> {
  return asWork(() => write(engine, chatId, answerId))
}

async function write(engine: Engine, chatId: string, answerId: string): Promise<void> {
  const controller = new AbortController()
  stop = controller
  answering.value = { chatId, answerId }
  const options = answerOptions.value
  const letGo = holdAnswer(answerId)
  const change = (next: AnswerChange) =>
    changeChat(chatId, (chat) => updateAnswer(chat, answerId, { ...next, changedAt: Date.now() }))
  if (options.mode === 'json') change({ format: 'json' })
  const request = {
    engine,
    messages: requestMessages(currentChat.value, answerId, settings.value.systemPrompt),
    settings: settings.value,
    options,
    signal: controller.signal,
  }
  const ended = await streamAnswer(request, change)
  const { stats } = ended
  batch(() => {
    change(ended)
    answering.value = undefined
    if (stats !== undefined && stats.tokensPerSecond > 0) {
      speeds.value = [...speeds.value, stats.tokensPerSecond].slice(-maxSpeeds)
    }
  })
  if (stats) rememberSpeed(engine.model.id, engine.device.backend, stats, Date.now())
  await writeChats()
  letGo()
  // Storage that was emptied meanwhile is told of now.
  await Promise.all([refreshMemory(), refreshStored()])
}
