import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { BrasaError } from '../errors.ts'
import { createMatcherHost } from './matcher-host.ts'
import type { MatchedAnswer } from './matcher-lane.ts'
import type { MatcherReply, MatcherRequest } from './matcher-worker.ts'

/** Compiles at once what is not hostile, never what is; the mask of an answer is the number of its tokens. */
class FakeWorker {
  static all: FakeWorker[] = []
  onmessage: ((event: { data: MatcherReply }) => void) | undefined
  readonly requests: MatcherRequest[] = []
  isTerminated = false
  readonly #numTokens = new Map<number, number>()
  constructor() {
    FakeWorker.all.push(this)
  }
  postMessage(request: MatcherRequest): void {
    this.requests.push(request)
    if ('structure' in request && JSON.stringify(request.structure).includes('hostile')) return
    const reply = this.#reply(request)
    queueMicrotask(() => !this.isTerminated && this.onmessage?.({ data: reply }))
  }
  #reply(request: MatcherRequest): MatcherReply {
    if (request.type !== 'open' && request.type !== 'accept') return { type: 'done' }
    const before = request.type === 'open' ? 0 : this.#numTokens.get(request.id)!
    const numTokens = before + request.tokens.length
    this.#numTokens.set(request.id, numTokens)
    return { type: 'mask', mask: Uint32Array.of(numTokens) }
  }
  terminate(): void {
    this.isTerminated = true
  }
}

const running = () => FakeWorker.all.filter(({ isTerminated }) => !isTerminated)
const asked = (type: MatcherRequest['type']) =>
  FakeWorker.all.flatMap(({ requests }) => requests.filter((request) => request.type === type))

const host = () => createMatcherHost({ tokens: [], stopTokens: [] })
let nextId = 1
const answerOf = (ebnf: string, tokens: number[] = []): MatchedAnswer & { tokens: number[] } => ({
  id: nextId++,
  structure: { kind: 'grammar', ebnf },
  tokens,
})
const hostile = () => answerOf(`hostile ${nextId}`)
const settled = (promise: Promise<unknown>) =>
  promise.then(
    () => 'mask',
    (error: BrasaError) => error.code,
  )

beforeEach(() => {
  FakeWorker.all = []
  vi.stubGlobal('Worker', FakeWorker)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test.each([
  { count: 4, withinMs: 1000, codes: ['invalid_request'] },
  // Four lanes beside the answer's; the others wait for them, or are told to come back.
  { count: 10, withinMs: 2000, codes: ['invalid_request', 'queue_full'] },
])(
  '$count formats that do not end hold up no answer, and are refused',
  async ({ count, withinMs, codes }) => {
    const { mask } = host()
    const good = answerOf('good')
    expect(await mask(good)).toEqual(Uint32Array.of(0))
    const outcomes: string[] = []
    for (let index = 0; index < count; index++) {
      void settled(mask(hostile())).then((outcome) => outcomes.push(outcome))
    }
    for (let step = 0; step < 20; step++) {
      // Not one of them has ended by now, and time stands still.
      good.tokens.push(step)
      expect(await mask(good)).toEqual(Uint32Array.of(good.tokens.length))
    }
    expect(outcomes).toEqual([])
    await vi.advanceTimersByTimeAsync(withinMs + 10)
    expect(outcomes).toHaveLength(count)
    expect([...new Set(outcomes)].sort()).toEqual(codes)
    expect(await mask(answerOf('another'))).toEqual(Uint32Array.of(0))
    good.tokens.push(1)
    expect(await mask(good)).toEqual(Uint32Array.of(21))
  },
)

test('formats that come one after the other take one worker, and one that is asked for at once is compiled once', async () => {
  const { mask, free } = host()
  for (const ebnf of ['a', 'b', 'a']) {
    const answer = answerOf(ebnf)
    await mask(answer)
    free(answer.id)
    await vi.advanceTimersByTimeAsync(1)
  }
  await Promise.all(Array.from({ length: 4 }, () => mask(answerOf('c'))))
  expect(FakeWorker.all).toHaveLength(1)
  expect(asked('compile')).toHaveLength(3)
})

test('where every worker has an answer, the answer of one that is ended goes on in another', async () => {
  const { mask } = host()
  const answers = Array.from({ length: 5 }, (_, index) => answerOf(`format ${index}`, [1, 2]))
  for (const answer of answers) await mask(answer)
  expect(running()).toHaveLength(5)
  const refused = settled(mask(hostile()))
  const masks = answers.map((answer) => {
    answer.tokens.push(3)
    return mask(answer)
  })
  await vi.advanceTimersByTimeAsync(1010)
  expect(await refused).toBe('invalid_request')
  expect(await Promise.all(masks)).toEqual(answers.map(() => Uint32Array.of(3)))
  expect(running()).toHaveLength(5)
})

test('workers without an answer end, also where it left while it waited', async () => {
  const { mask, free } = host()
  const answers = ['a', 'b', 'hostile'].map((ebnf) => answerOf(ebnf))
  const waits = answers.map((answer) => settled(mask(answer)))
  for (const { id } of answers) free(id)
  await vi.advanceTimersByTimeAsync(1010)
  await Promise.all(waits)
  expect(running().length).toBeGreaterThan(0)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(running()).toHaveLength(0)
})
