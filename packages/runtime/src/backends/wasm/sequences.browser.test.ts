import { expect, test } from 'vitest'
import { BrasaError } from '../../errors.ts'
import type { Executor, Sequence } from '../executor.ts'
import { randomNumbers, tinyModel } from '../reference/tiny-model.ts'
import { createWasmExecutor } from './executor.ts'

const contextLength = 260
const mostSequences = 4
const numAborts = 10_000

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

test('10,000 appends that are stopped at any moment leak nothing and spoil nothing', async () => {
  const executor = await open(2)
  const random = randomNumbers(11)
  const below = (limit: number) => Math.floor(random() * limit)
  const alive: { sequence: Sequence; tokens: number[] }[] = []
  let numAborted = 0
  let before: ReturnType<Executor['memory']> | undefined

  async function appendSome(one: (typeof alive)[number]): Promise<void> {
    const { sequence, tokens } = one
    const count = Math.min(1 + below(150), contextLength - 1 - sequence.length)
    if (count < 1) return
    const added = Array.from({ length: count }, () => below(61))
    const lengthBefore = sequence.length
    const controller = new AbortController()
    const moment = below(5)
    if (moment === 0) controller.abort()
    const done = executor.append(sequence, Uint32Array.from(added), {
      signal: controller.signal,
      onProgress: () => moment === 1 && controller.abort(),
    })
    if (moment === 2) controller.abort()
    if (moment === 3) queueMicrotask(() => controller.abort())
    if (moment === 4) setTimeout(() => controller.abort(), random() * 2)
    try {
      await done
      expect(sequence.length).toBe(lengthBefore + count)
    } catch (error) {
      if (!(error instanceof BrasaError) || error.code !== 'aborted') throw error
    }
    numAborted += 1
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
    else if (action < 8) {
      executor.rollback(one.sequence, below(one.sequence.length + 1))
      one.tokens.length = one.sequence.length
    } else await appendSome(one)
    if (numAborted % 100 === 0 && alive[0] !== undefined && alive[0].sequence.length < contextLength - 1)
      await check(alive[0])
    if (numAborted >= numAborts / 2 && before === undefined) before = executor.memory()
  }
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
}, 120_000)

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
