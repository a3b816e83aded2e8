import type { ChatMessage } from '@brasa/runtime'

/** What an answer may hold besides its words: calls of tools, and how likely its tokens were. */

/** A call of a tool that runs in the page. */
export interface ToolUse {
  readonly id: string
  readonly name: string
  /** JSON text, as the model wrote it. */
  readonly arguments: string
  /** As the model reads it; not there yet while the tool runs, or if the answer was stopped. */
  readonly result?: string
  /** The result says what went wrong. */
  readonly failed?: boolean
  readonly tookMs?: number
}

/** What the model said before it called, and what it called. */
export interface ToolRound {
  readonly content: string
  readonly calls: readonly ToolUse[]
}

/** A token's text and its probability, then those of the likeliest tokens in its place, in turns. Flat, since there are many. */
export type TokenProbability = readonly [text: string, probability: number, ...likeliest: (string | number)[]]

/** The rounds as the model reads them again. A call without its result is left out: no template has a place for one. */
export function roundMessages(rounds: readonly ToolRound[] = []): readonly ChatMessage[] {
  return rounds.flatMap(({ content, calls }): readonly ChatMessage[] => {
    const done = calls.filter(({ result }) => result !== undefined)
    if (done.length === 0) return []
    const tool_calls = done.map(({ id, name, arguments: text }) => ({
      id,
      type: 'function' as const,
      function: { name, arguments: text },
    }))
    const results = done.map(({ id, result }) => ({
      role: 'tool' as const,
      content: result!,
      tool_call_id: id,
    }))
    return [{ role: 'assistant', content, tool_calls }, ...results]
  })
}

/** Rounds of any age or making; undefined where there are none. */
export function reviveRounds(stored: unknown): readonly ToolRound[] | undefined {
  const rounds = list(stored).flatMap((round) => {
    const { content, calls } = record(round)
    const uses = list(calls).flatMap(reviveUse)
    return uses.length === 0 ? [] : [{ content: typeof content === 'string' ? content : '', calls: uses }]
  })
  return rounds.length === 0 ? undefined : rounds
}

function reviveUse(stored: unknown): readonly ToolUse[] {
  const { id, name, arguments: text, result, failed, tookMs } = record(stored)
  if (typeof id !== 'string' || typeof name !== 'string' || typeof text !== 'string') return []
  return [
    {
      id,
      name,
      arguments: text,
      ...(typeof result === 'string' && { result }),
      ...(failed === true && { failed }),
      ...(typeof tookMs === 'number' && { tookMs }),
    },
  ]
}

/** Probabilities of any age or making; undefined where there are none. */
export function reviveProbabilities(stored: unknown): readonly TokenProbability[] | undefined {
  const tokens = list(stored).filter(
    (token): token is TokenProbability =>
      Array.isArray(token) &&
      token.length >= 2 &&
      token.length % 2 === 0 &&
      token.every((item, index) => typeof item === (index % 2 === 0 ? 'string' : 'number')),
  )
  return tokens.length === 0 ? undefined : tokens
}

const list = (stored: unknown): readonly unknown[] => (Array.isArray(stored) ? stored : [])

const record = (stored: unknown): Readonly<Record<string, unknown>> =>
  typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {}
