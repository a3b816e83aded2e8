import type { ChatCompletionChunk, ChatMessage, Engine, Timings, Usage } from '@brasa/runtime'
import { runTool } from '../tools/tools.ts'
import { type AnswerOptions, answerParameters } from './answer-options.ts'
import { roundMessages, type ToolRound, type ToolUse } from './answer-parts.ts'
import type { Answer, AnswerStats } from './conversation.ts'
import { describeFailure } from './model.ts'
import { generationParameters, type Settings } from './settings.ts'
import { gatherSpoken } from './spoken.ts'
import { gatherProbabilities } from './token-probabilities.ts'

export type AnswerChange = Partial<Omit<Answer, 'role' | 'id'>>

export interface AnswerRequest {
  readonly engine: Pick<Engine, 'chat' | 'model'>
  /** Up to the question. */
  readonly messages: readonly ChatMessage[]
  readonly settings: Settings
  readonly options: AnswerOptions
  readonly signal: AbortSignal
}

/** A model that goes on calling after so many rounds is asked for words. */
const maxRounds = 4

/**
 * Asks the model, runs the tools that it calls and asks again with their results, until it answers in words.
 * @param show is given what there is, once a frame at most
 * @returns how it ended: never throws
 */
export async function streamAnswer(
  request: AnswerRequest,
  show: (change: AnswerChange) => void,
): Promise<AnswerChange> {
  const { options, signal } = request
  const spoken = gatherSpoken(show)
  const totals = createTotals(request.engine.model.contextLength)
  const probabilities = gatherProbabilities()
  let end: AnswerChange = { state: 'done' }
  try {
    const seen = new Set<string>()
    let toolChoice: 'auto' | 'required' | 'none' = options.toolChoice
    for (let numRounds = 1; ; numRounds++) {
      const calls = createCalls()
      let finish: ChatCompletionChunk['choices'][number]['finish_reason'] = null
      for await (const chunk of await ask(request, spoken.rounds(), toolChoice)) {
        totals.add(chunk)
        const choice = chunk.choices[0]
        if (choice === undefined) continue
        const { delta, logprobs } = choice
        finish = choice.finish_reason ?? finish
        if (logprobs !== null && logprobs !== undefined) probabilities.add(logprobs)
        if (delta.tool_calls !== undefined) spoken.call(calls.add(delta.tool_calls))
        else spoken.add(delta.reasoning_content ?? '', delta.content ?? '')
      }
      totals.endRound()
      if (signal.aborted || finish === 'abort') end = { state: 'stopped' }
      if (finish === 'length') end = { state: 'long' }
      if (end.state !== 'done' || calls.uses().length === 0) break
      spoken.call(calls.uses().map((use) => ({ ...use, ...runTool(use.name, use.arguments) })))
      spoken.endRound()
      // Small models call the same again and again.
      const key = JSON.stringify(calls.uses().map((use) => [use.name, use.arguments]))
      toolChoice = numRounds >= maxRounds || seen.has(key) ? 'none' : 'auto'
      seen.add(key)
      // Lets Stop be heard between two rounds.
      await new Promise((resolve) => setTimeout(resolve))
      signal.throwIfAborted()
    }
  } catch (error) {
    const failure = describeFailure(error)
    // `disposed`: the person chose another model.
    end =
      signal.aborted || ['aborted', 'disposed'].includes(failure.code)
        ? { state: 'stopped' }
        : { state: 'failed', failure }
  }
  const stats = totals.stats()
  return {
    ...spoken.finish(),
    ...end,
    ...(stats && { stats }),
    ...(probabilities.tokens.length > 0 && { probabilities: probabilities.tokens }),
  }
}

function ask(
  { engine, messages, settings, options, signal }: AnswerRequest,
  rounds: readonly ToolRound[],
  toolChoice: 'auto' | 'required' | 'none',
) {
  return engine.chat.completions.create(
    {
      messages: [...messages, ...roundMessages(rounds)],
      stream: true,
      ...generationParameters(settings),
      ...answerParameters(options, toolChoice),
    },
    { signal },
  )
}

type CallDeltas = NonNullable<ChatCompletionChunk['choices'][number]['delta']['tool_calls']>

/** Puts the calls of one round together from their pieces. */
function createCalls() {
  const calls: ToolUse[] = []
  return {
    uses: (): readonly ToolUse[] => calls,
    add(deltas: CallDeltas): readonly ToolUse[] {
      for (const { index, id, function: piece } of deltas) {
        const use = calls[index] ?? { id: id ?? `call_${index}`, name: '', arguments: '' }
        calls[index] = {
          ...use,
          name: piece.name ?? use.name,
          arguments: use.arguments + (piece.arguments ?? ''),
        }
      }
      return [...calls]
    },
  }
}

/** Adds up what the runtime measured in each round. */
function createTotals(contextLength: number) {
  let usage: Usage | undefined
  let timings: Timings | undefined
  let ttftMs: number | undefined
  let tokens = 0
  let contextTokens = 0
  /** Tokens after the first of each round, and what they took. */
  let followers = 0
  let seconds = 0
  return {
    add(chunk: ChatCompletionChunk) {
      usage = chunk.usage ?? usage
      timings = chunk.timings ?? timings
    },
    endRound() {
      if (usage !== undefined && timings !== undefined && usage.completion_tokens > 0) {
        ttftMs ??= timings.ttftMs
        tokens += usage.completion_tokens
        contextTokens = usage.total_tokens
        if (usage.completion_tokens > 1 && timings.decodeTokensPerSecond > 0) {
          followers += usage.completion_tokens - 1
          seconds += (usage.completion_tokens - 1) / timings.decodeTokensPerSecond
        }
      }
      usage = undefined
      timings = undefined
    },
    stats(): AnswerStats | undefined {
      if (ttftMs === undefined) return undefined
      const tokensPerSecond = seconds > 0 ? followers / seconds : 0
      return { tokens, ttftMs, tokensPerSecond, contextTokens, contextLength }
    },
  }
}
