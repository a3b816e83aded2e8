import { expect, test } from 'vitest'
import { BrasaError } from '../../errors.ts'
import type { Executor, Sequence } from '../executor.ts'
import { randomNumbers, tinyModel } from '../reference/tiny-model.ts'
import { createWasmExecutor } from './executor.ts'

const contextLength = 260
const mostSequences = 4
const numAborts = 10_000
/** Of these, how many must have been computed in part. */
const leastInMidPrompt = 1_000

/** One layer that reads everything and one that reads a window: pages of both kinds. */
function model() {
  const { spec, weights } = tinyModel({ type: 'Q8_0', vocabSize: 61, contextLength })
  const blocks = spec.blocks.map((block, index) =>
    index === 0 ? block : { ...block, attention: { ...block.attention, window: 40 } },
  )
  return { spec: { ...spec, blocks }, weights }
}

const open = (numThreads: number) => {
  const { spec, weights } = model()
  return createWasmExecutor(spec, weights, { numThreads, maxBatchSize: 1, precision: 'f32' })
}

/** Log-probabilities of all tokens behind `sequence` and one more token, by token. */
async function behind(executor: Executor, sequence: Sequence): Promise<number[]> {
  const [result] = await executor.step([{ sequence, token: 7, topLogprobs: 61 }])
  return [...result!.topLogprobs].sort((a, b) => a.token - b.token).map(({ logprob }) => logprob)
}

test('10,000 prompts that are stopped at any moment leak nothing and spoil nothing', async () => {
  const executor = await open(2)
  const random = randomNumbers(11)
  const below = (limit: number) => Math.floor(random() * limit)
  const alive: { sequence: Sequence; tokens: number[] }[] = []
  let numAborted = 0
  let numInMidPrompt = 0
  /** One whose prompt was just stopped. */
  let toCheck: (typeof alive)[number] | undefined
  let before: ReturnType<Executor['memory']> | undefined

  function rollBack({ sequence, tokens }: (typeof alive)[number], length: number): void {
    executor.rollback(sequence, Math.min(length, sequence.length))
    tokens.length = sequence.length
  }

  async function appendSome(one: (typeof alive)[number]): Promise<void> {
    const { sequence, tokens } = one
    const moment = below(20)
    // A prompt that is stopped between two pieces has two at least.
    const isInMidPrompt = moment < 3
    if (isInMidPrompt && sequence.length > 100) rollBack(one, below(60))
    const room = contextLength - 1 - sequence.length
    const count = Math.min(isInMidPrompt ? 65 + below(100) : 1 + below(20), room)
    if (count < 1) return
    const added = Array.from({ length: count }, () => below(61))
    const lengthBefore = sequence.length
    const controller = new AbortController()
    const abort = () => controller.abort()
    if (moment === 4) abort()
    const done = executor.append(sequence, Uint32Array.from(added), {
      signal: controller.signal,
      onProgress: (numDone) => isInMidPrompt && numDone > below(100) && abort(),
    })
    if (moment === 5) setTimeout(abort, random() * 2)
    else if (moment === 6) queueMicrotask(abort)
    else if (moment > 6) abort()
    try {
      await done
      expect(sequence.length).toBe(lengthBefore + count)
    } catch (error) {
      if (!(error instanceof BrasaError) || error.code !== 'aborted') throw error
      numAborted += 1
      expect(sequence.length).toBeLessThan(lengthBefore + count)
      if (sequence.length > lengthBefore) numInMidPrompt += 1
      if (numAborted % 100 === 0 && sequence.length < contextLength - 1) toCheck = one
    }
    tokens.push(...added.slice(0, sequence.length - lengthBefore))
    expect(tokens).toHaveLength(sequence.length)
  }

  const free = (index: number) => executor.free(alive.splice(index, 1)[0]!.sequence)

  async function check({ tokens, sequence }: (typeof alive)[number]): Promise<void> {
    const fresh = executor.createSequence()
    await executor.append(fresh, Uint32Array.from(tokens))
    const expected = await behind(executor, fresh)
    executor.free(fresh)
    const actual = await behind(executor, sequence)
    tokens.push(7)
    for (const [token, logprob] of actual.entries())
      expect(Math.abs(logprob - expected[token]!)).toBeLessThan(1e-4)
  }

  while (numAborted < numAborts) {
    const index = below(alive.length)
    const one = alive[index]
    const action = below(20)
    if (one === undefined || (action < 2 && alive.length < mostSequences))
      alive.push({ sequence: executor.createSequence(), tokens: [] })
    else if (action === 2 && alive.length < mostSequences)
      alive.push({ sequence: executor.fork(one.sequence), tokens: [...one.tokens] })
    else if (action === 3 || one.sequence.length >= contextLength - 2) free(index)
    else if (action < 8) rollBack(one, below(one.sequence.length + 1))
    else await appendSome(one)
    if (toCheck !== undefined) await check(toCheck)
    toCheck = undefined
    if (numAborted >= numAborts / 2 && before === undefined) before = executor.memory()
  }
  expect(numInMidPrompt).toBeGreaterThan(leastInMidPrompt)
  while (alive.length > 0) free(0)
  // All that was ever taken is what the most sequences at once can hold, the one that checks included.
  const { spec } = executor
  const pageBytes = spec.blocks.reduce((sum, { attention: { numKvHeads, headDim } }) => {
    return sum + 2 * numKvHeads * headDim * 64 * 4
  }, 0)
  const mostBytes = (mostSequences + 1) * Math.ceil(contextLength / 64) * pageBytes
  const after = executor.memory()
  expect(after.kvCacheBytes).toBeLessThanOrEqual(mostBytes)
  expect(after.weightBytes).toBe(before!.weightBytes)
  expect(after.otherBytes).toBe(before!.otherBytes)
  executor.dispose()
}, 240_000)

test('a load that is stopped at any moment leaves no thread behind', async () => {
  const alive = new Set<Worker>()
  const PageWorker = globalThis.Worker
  globalThis.Worker = class extends PageWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options)
      alive.add(this)
    }
    override terminate() {
      alive.delete(this)
      super.terminate()
    }
  }
  try {
    const { spec, weights } = model()
    const pieces = weights.tensors.size
    let numAborted = 0
    let mostAlive = 0
    for (let round = 0; round < 24; round++) {
      const controller = new AbortController()
      let numRead = 0
      const stopping = {
        ...weights,
        async *stream(signal?: AbortSignal) {
          for await (const piece of weights.stream(signal)) {
            if (numRead++ === (round * 7) % pieces) {
              // While threads start, and once they have.
              await pause(round % 3 === 0 ? 0 : round * 4)
              mostAlive = Math.max(mostAlive, alive.size)
              controller.abort()
            }
            yield piece
          }
        },
      }
      const loading = createWasmExecutor(spec, stopping, { numThreads: 3, signal: controller.signal })
      await expect(loading).rejects.toMatchObject({ code: 'aborted' })
      numAborted += 1
      // Those that were still starting end once they have.
      for (let waited = 0; alive.size > 0 && waited < 5000; waited += 5) await pause(5)
      expect(alive.size).toBe(0)
    }
    expect(numAborted).toBe(24)
    expect(mostAlive).toBe(2)
  } finally {
    globalThis.Worker = PageWorker
  }
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('a sequence that is freed while its prompt is computed takes no pages with it', async () => {
  const executor = await open(2)
  const prompt = Uint32Array.from({ length: 200 }, (_, i) => (i * 29) % 61)
  const other = executor.createSequence()
  await executor.append(other, prompt)
  const expected = await behind(executor, other)
  executor.rollback(other, 200)
  let bytes = 0
  for (let round = 0; round < 30; round++) {
    const sequence = executor.createSequence()
    const appended = executor.append(sequence, prompt).then(
      () => undefined,
      (error: unknown) => error,
    )
    for (let turn = 0; turn <= round % 8; turn++) await new Promise((resolve) => setTimeout(resolve))
    executor.free(sequence)
    // Takes the pages that the freed sequence gave back.
    const fork = executor.fork(other)
    const error = await appended
    if (error !== undefined) expect(error).toMatchObject({ code: 'internal' })
    expect(await behind(executor, fork)).toEqual(expected)
    executor.free(fork)
    if (round === 10) bytes = executor.memory().kvCacheBytes
  }
  expect(executor.memory().kvCacheBytes).toBe(bytes)
  executor.dispose()
})

test('one thread on an unshared memory gives the same tokens', async () => {
  const prompt = Uint32Array.from({ length: 90 }, (_, i) => (i * 31) % 61)
  const answers: number[][] = []
  for (const numThreads of [1, 2, 4]) {
    const executor = await open(numThreads)
    expect(executor.device.features.includes('threads')).toBe(numThreads > 1)
    const sequence = executor.createSequence()
    await executor.append(sequence, prompt)
    const tokens: number[] = []
    for (let step = 0; step < 60; step++) {
      const [result] = await executor.step([step === 0 ? { sequence, token: 5 } : { sequence }])
      tokens.push(result!.token)
    }
    answers.push(tokens)
    executor.dispose()
  }
  expect(answers[0]).toEqual(answers[1])
  expect(answers[0]).toEqual(answers[2])
})
