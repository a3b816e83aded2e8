import type { Engine, Timings, Usage } from '@brasa/runtime'
import { batch, signal } from '@preact/signals'
import { holdAnswer } from './answer-locks.ts'
import { changeChat, currentChat, openChat, putChat } from './chats.ts'
import { type Answer, ask, askAgain, askInstead, requestMessages, updateAnswer } from './conversation.ts'
import { writeChats } from './keeping.ts'
import { describeFailure, loadModel, model, reference, refreshMemory } from './model.ts'
import { generationParameters, settings } from './settings.ts'

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

async function writeAnswer(engine: Engine, chatId: string, answerId: string): Promise<void> {
  const controller = new AbortController()
  stop = controller
  answering.value = { chatId, answerId }
  const change = (next: Partial<Omit<Answer, 'role' | 'id' | 'parent'>>) =>
    changeChat(chatId, (chat) => updateAnswer(chat, answerId, { ...next, changedAt: Date.now() }))
  const letGo = holdAnswer(answerId)
  const spoken = gatherSpoken((words) => change({ ...words, state: 'streaming' }))
  let usage: Usage | undefined
  let timings: Timings | undefined
  let end: Partial<Omit<Answer, 'role' | 'id' | 'parent'>> = { state: 'done' }
  try {
    const stream = await engine.chat.completions.create(
      {
        messages: requestMessages(currentChat.value, answerId, settings.value.systemPrompt),
        stream: true,
        ...generationParameters(settings.value),
      },
      { signal: controller.signal },
    )
    for await (const chunk of stream) {
      usage = chunk.usage ?? usage
      timings = chunk.timings ?? timings
      const choice = chunk.choices[0]
      spoken.add(choice?.delta.reasoning_content ?? '', choice?.delta.content ?? '')
      if (choice?.finish_reason === 'length') end = { state: 'long' }
      if (choice?.finish_reason === 'abort') end = { state: 'stopped' }
    }
    if (controller.signal.aborted) end = { state: 'stopped' }
  } catch (error) {
    const failure = describeFailure(error)
    // `disposed`: the person chose another model.
    end =
      controller.signal.aborted || ['aborted', 'disposed'].includes(failure.code)
        ? { state: 'stopped' }
        : { state: 'failed', failure }
  }
  const words = spoken.finish()
  const stats = usage &&
    timings &&
    usage.completion_tokens > 0 && {
      tokens: usage.completion_tokens,
      ttftMs: timings.ttftMs,
      tokensPerSecond: timings.decodeTokensPerSecond,
      contextTokens: usage.total_tokens,
    }
  batch(() => {
    change({ ...words, ...end, ...(stats && { stats }) })
    answering.value = undefined
    if (timings !== undefined && usage !== undefined && usage.completion_tokens > 1) {
      speeds.value = [...speeds.value, timings.decodeTokensPerSecond].slice(-maxSpeeds)
    }
  })
  await writeChats()
  letGo()
  await refreshMemory()
}

type Spoken = Pick<Answer, 'content' | 'thought' | 'thoughtMs'>

/** Gathers a thought and an answer and hands them on once a frame: tokens come faster than screens are drawn. */
function gatherSpoken(show: (spoken: Spoken) => void) {
  let thought = ''
  let content = ''
  let thoughtStart = 0
  let thoughtMs: number | undefined
  let frame: number | undefined
  const spoken = (): Spoken => ({
    content,
    ...(thought !== '' && { thought }),
    ...(thoughtMs !== undefined && { thoughtMs }),
  })
  const endThought = () => {
    if (thought !== '') thoughtMs ??= performance.now() - thoughtStart
  }
  return {
    add(thoughtPart: string, contentPart: string) {
      if (thoughtPart === '' && contentPart === '') return
      if (thought === '') thoughtStart = performance.now()
      thought += thoughtPart
      content += contentPart
      if (contentPart !== '') endThought()
      frame ??= requestAnimationFrame(() => {
        frame = undefined
        show(spoken())
      })
    },
    finish(): Spoken {
      if (frame !== undefined) cancelAnimationFrame(frame)
      endThought()
      return spoken()
    },
  }
}
