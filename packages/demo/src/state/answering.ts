import type { Engine } from '@brasa/runtime'
import { batch, signal } from '@preact/signals'
import { answerOptions } from './answer-options.ts'
import { type AnswerChange, streamAnswer } from './answer-stream.ts'
import { changeChat, currentChat, openChat, putChat, storeChat } from './chats.ts'
import { ask, askAgain, requestMessages, updateAnswer, withoutQuestion } from './conversation.ts'
import { loadModel, model, reference, refreshMemory } from './model.ts'
import { settings } from './settings.ts'

/** The answer that is being written, if any: one at a time, as there is one engine. */
export const answering = signal<{ readonly chatId: string; readonly answerId: string } | undefined>(undefined)
/** Tokens a second of this page's answers, oldest first, as the runtime measured them. */
export const speeds = signal<readonly number[]>([])

const maxSpeeds = 40
let stop: AbortController | undefined

/** Asks in the open chat; in place of `replacing` and all after it when a question is edited. */
export async function askQuestion(text: string, replacing?: string): Promise<void> {
  if (model.value.kind !== 'ready' || answering.value !== undefined) return
  const base = replacing === undefined ? currentChat.value : withoutQuestion(currentChat.value, replacing)
  const answerId = crypto.randomUUID()
  putChat(ask(base, { role: 'user', id: crypto.randomUUID(), content: text }, answerId, Date.now()))
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

async function writeAnswer(engine: Engine, chatId: string, answerId: string): Promise<void> {
  const controller = new AbortController()
  stop = controller
  answering.value = { chatId, answerId }
  const options = answerOptions.value
  const change = (next: AnswerChange) => changeChat(chatId, (chat) => updateAnswer(chat, answerId, next))
  if (options.mode === 'json') change({ format: 'json' })
  storeChat(chatId)
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
  storeChat(chatId)
  await refreshMemory()
}
