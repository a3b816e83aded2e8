import type { EngineClient } from '../client/engine-client.ts'
import { BrasaError } from '../errors.ts'
import {
  type CompletionPiece,
  type CompletionTotals,
  completionPieces,
  noTotals,
} from './completion-pieces.ts'
import { type ParsedCompletionRequest, parseCompletionRequest } from './completion-request.ts'
import { createBytesOf } from './logprobs.ts'
import {
  checkLoadedModel,
  createResponseId,
  createTokenStream,
  nowInSeconds,
  type StartOptions,
  started,
  stoppedError,
} from './token-stream.ts'
import type {
  Completion,
  CompletionChunk,
  CompletionLogprobs,
  CompletionRequest,
  Completions,
} from './types.ts'

type Common = Pick<CompletionChunk, 'id' | 'object' | 'created' | 'model'>
type Pieces = AsyncIterable<CompletionPiece | undefined>

/** OpenAI's text completions over one engine. */
export function createCompletions(client: EngineClient): Completions {
  const bytesOf = createBytesOf(client)

  async function create(request: CompletionRequest & { stream?: boolean }, options?: StartOptions) {
    const parsed = parseCompletionRequest(request)
    checkLoadedModel(client, parsed.model)
    const totals = noTotals()
    const answer = await started(
      (signal) => completionPieces(client, parsed, bytesOf, totals, signal),
      options,
    )
    const common = {
      id: createResponseId('cmpl-'),
      object: 'text_completion' as const,
      created: nowInSeconds(),
      model: client.loaded.model.id,
    }
    if (parsed.stream) return createTokenStream(answer, chunksOf(answer.events, common, parsed, totals))
    const choices = await collectChoices(answer.events)
    const completion: Completion = { ...common, choices, ...totals }
    return completion
  }
  // One implementation of both overloads.
  return { create: create as Completions['create'] }
}

async function* chunksOf(
  pieces: Pieces,
  common: Common,
  { usage: told }: ParsedCompletionRequest,
  totals: CompletionTotals,
): AsyncGenerator<CompletionChunk, void, undefined> {
  const own = told === 'own chunk' ? { usage: null } : {}
  // One behind, for the last chunk to tell the usage.
  let held: CompletionPiece | undefined
  for await (const piece of pieces) {
    if (piece === undefined) continue
    if (held !== undefined) yield { ...common, choices: [held], ...own }
    held = undefined
    if (piece.finish_reason === null) yield { ...common, choices: [piece], ...own }
    else held = piece
  }
  if (held !== undefined) yield { ...common, choices: [held], ...(told === 'last chunk' ? totals : own) }
  if (told === 'own chunk') yield { ...common, choices: [], ...totals }
}

/** @throws BrasaError `aborted` */
async function collectChoices(pieces: Pieces): Promise<Completion['choices']> {
  const choices: CompletionPiece[] = []
  for await (const piece of pieces) {
    if (piece === undefined) continue
    const { index, text, tokens, finish_reason, logprobs } = piece
    if (finish_reason === 'abort') throw stoppedError()
    const before = choices[index]
    choices[index] = {
      index,
      text: (before?.text ?? '') + text,
      tokens: [...(before?.tokens ?? []), ...tokens],
      finish_reason,
      logprobs: joined(before?.logprobs, logprobs),
    }
  }
  return choices.map(({ finish_reason, ...choice }) => {
    if (finish_reason !== null) return { ...choice, finish_reason }
    throw new BrasaError('internal', { message: 'The answer ended without saying why.' })
  })
}

/** The lists of both, one after the other. */
function joined(
  before: CompletionLogprobs | null | undefined,
  after: CompletionLogprobs | null,
): CompletionLogprobs | null {
  if (!before || after === null) return before ?? after
  const names = Object.keys(before) as (keyof CompletionLogprobs)[]
  return Object.fromEntries(names.map((name) => [name, [...(before[name] ?? []), ...(after[name] ?? [])]]))
}
