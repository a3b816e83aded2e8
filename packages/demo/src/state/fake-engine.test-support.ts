import type { ChatCompletionChunk, ChatCompletionRequest, Engine } from '@brasa/runtime'

type Choice = ChatCompletionChunk['choices'][number]

/** Words, or whatever else a chunk may hold. */
export type FakePiece = string | (Partial<Omit<Choice, 'delta'>> & { readonly delta?: Choice['delta'] })

export type FakeAnswer = (
  request: ChatCompletionRequest,
  signal: AbortSignal,
) => AsyncIterable<FakePiece> | Iterable<FakePiece>

/** What the runtime under the page answers: the page is tested, not the engine. */
export function fakeEngine(answer: FakeAnswer) {
  const requests: ChatCompletionRequest[] = []
  const create = async (request: ChatCompletionRequest, { signal }: { signal: AbortSignal }) => {
    requests.push(request)
    return chunks(answer(request, signal), signal)
  }
  const engine = {
    model: { id: 'small', name: 'Small', quantisation: 'Q4_1', contextLength: 1000, sizeBytes: 98_000_000 },
    device: { backend: 'wasm', adapter: '2 threads', reason: 'It was asked for.', features: [] },
    memory: async () => ({ weightBytes: 1e6, kvCacheBytes: 2e6, otherBytes: 3e6 }),
    dispose: async () => {},
    chat: { completions: { create } },
  } as unknown as Engine
  return { engine, requests }
}

async function* chunks(pieces: ReturnType<FakeAnswer>, signal: AbortSignal) {
  let tokens = 0
  let finish_reason: string | null = null
  for await (const piece of pieces) {
    tokens += 1
    const {
      delta,
      logprobs = null,
      ...rest
    } = typeof piece === 'string' ? { delta: { content: piece } } : piece
    finish_reason = rest.finish_reason ?? finish_reason
    yield { choices: [{ index: 0, delta: delta ?? {}, logprobs, finish_reason: null }] }
  }
  yield {
    choices: [
      {
        index: 0,
        delta: {},
        logprobs: null,
        finish_reason: signal.aborted ? 'abort' : (finish_reason ?? 'stop'),
      },
    ],
    usage: { prompt_tokens: 80, completion_tokens: tokens, total_tokens: 80 + tokens },
    timings: { ttftMs: 310, prefillTokensPerSecond: 50, decodeTokensPerSecond: 20 },
  }
}

/** A call of a tool in two pieces, as they come. */
export function callPieces(name: string, json: string, index = 0): readonly FakePiece[] {
  const half = json.length >> 1
  return [
    {
      delta: {
        tool_calls: [
          { index, id: `call_${index}_${json.length}`, type: 'function', function: { name, arguments: '' } },
        ],
      },
    },
    { delta: { tool_calls: [{ index, function: { arguments: json.slice(0, half) } }] } },
    { delta: { tool_calls: [{ index, function: { arguments: json.slice(half) } }] } },
  ]
}

/** A token with how likely it was and what else could have stood there. */
export function scoredPiece(
  text: string,
  probability: number,
  others: readonly (readonly [string, number])[] = [],
): FakePiece {
  const entry = (token: string, chance: number) => ({
    token,
    tokenId: 1,
    logprob: chance === 0 ? -9999 : Math.log(chance),
    bytes: [...new TextEncoder().encode(token)],
  })
  const top_logprobs = others.map(([token, chance]) => entry(token, chance))
  return { delta: { content: text }, logprobs: { content: [{ ...entry(text, probability), top_logprobs }] } }
}
