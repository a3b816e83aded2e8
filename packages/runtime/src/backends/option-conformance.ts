// Every option of a description, as tests of an executor against the float64 reference on random models.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Executor, rollbackTokens, type Sequence, type TokenLogprob } from './executor.ts'
import { createReferenceExecutor } from './reference/executor.ts'
import { optionModel, optionModels } from './reference/option-models.ts'
import type { TransformerSpec } from './transformer-spec.ts'
import type { Weights } from './weights.ts'

export type MakeExecutor = (
  spec: TransformerSpec,
  weights: Weights,
  options: { readonly contextLength: number; readonly maxBatchSize: number },
) => Promise<Executor>

export interface ConformanceOptions {
  /** How far log-probabilities may be from the float64 reference's. */
  readonly tolerance: number
}

const limits = { contextLength: 260, maxBatchSize: 3 }
const tokensFrom = (first: number, count: number, vocabSize = 97) =>
  Uint32Array.from({ length: count }, (_, i) => ((first + i) * 29 + 3) % vocabSize)
/** Longer than every window, and of no round length. */
const prompt = tokensFrom(0, 61)
/** Longer than a window and what may be rolled back together. */
const long = tokensFrom(0, 167)

/** Tests of `makeExecutor` on a random model for each option. */
export function describeOptions(
  name: string,
  makeExecutor: MakeExecutor,
  { tolerance }: ConformanceOptions,
): void {
  describe.each(Object.entries(optionModels))(`${name}: %s`, (_, options) => {
    const { spec, weights } = optionModel(options)
    const hasWindow = spec.blocks.some(({ attention }) => attention.window !== undefined)
    let executor: Executor
    let reference: Executor

    beforeAll(async () => {
      reference = await createReferenceExecutor(spec, weights, limits)
      executor = await makeExecutor(spec, weights, limits)
    }, 180_000)
    afterAll(() => {
      executor?.dispose()
      reference?.dispose()
    })

    /** Log-probabilities of every token behind each of `tokens`, the first `numAppended` of which are prompt. */
    async function distributions(on: Executor, tokens: Uint32Array, numAppended: number) {
      const sequence = on.createSequence()
      await on.append(sequence, tokens.subarray(0, numAppended))
      const rows = await step(on, sequence, tokens.subarray(numAppended))
      on.free(sequence)
      return rows
    }

    async function expectReference(
      actual: Promise<Distribution[]>,
      tokens: Uint32Array,
      numAppended: number,
    ): Promise<void> {
      const rows = await actual
      const expected = await distributions(reference, tokens, numAppended)
      expect(rows).toHaveLength(expected.length)
      for (const [index, { token, logprobs }] of rows.entries()) {
        const { logprobs: right } = expected[index]!
        const distance = logprobs.map((logprob, token) => Math.abs(logprob - right[token]!))
        expect(Math.max(...distance), `step ${index}`).toBeLessThan(tolerance)
        // What it sampled must be the most likely token, or tied with it.
        expect(Math.max(...right) - right[token]!, `step ${index}`).toBeLessThan(2 * tolerance)
      }
    }

    it('has the log-probabilities of the reference', async () => {
      await expectReference(distributions(executor, prompt, 53), prompt, 53)
    })

    it('runs sequences of several lengths together', async () => {
      const starts = [3, 19, 53]
      const sequences = starts.map(() => executor.createSequence())
      for (const [i, sequence] of sequences.entries()) {
        await executor.append(sequence, prompt.subarray(0, starts[i]))
      }
      const rows: Distribution[][] = starts.map(() => [])
      for (let index = 0; index < 4; index++) {
        const results = await executor.step(
          sequences.map((sequence, i) => ({
            sequence,
            token: prompt[starts[i]! + index]!,
            topLogprobs: spec.vocabSize,
          })),
        )
        for (const [i, result] of results.entries()) rows[i]!.push(distributionOf(result))
      }
      for (const [i, start] of starts.entries()) {
        executor.free(sequences[i]!)
        await expectReference(Promise.resolve(rows[i]!), prompt.subarray(0, start + 4), start)
      }
    })

    if (!hasWindow) return

    it('reads its windows in prompts of several chunks', async () => {
      await expectReference(distributions(executor, long, 163), long, 163)
    })

    it('fills its windows by steps', async () => {
      await expectReference(distributions(executor, prompt, 1), prompt, 1)
    })

    it('forks, and neither disturbs the other', async () => {
      const sequence = executor.createSequence()
      await executor.append(sequence, long.subarray(0, 150))
      const fork = executor.fork(sequence)
      const other = tokensFrom(500, 40)
      await executor.append(fork, other)
      await expectReference(step(executor, sequence, long.subarray(150, 154)), long.subarray(0, 154), 150)
      const forked = Uint32Array.of(...long.subarray(0, 150), ...other, 5, 6)
      await expectReference(step(executor, fork, Uint32Array.of(5, 6)), forked, forked.length - 2)
      executor.free(sequence)
      // The pages that only the other one held are free now, and may be written again.
      const third = executor.createSequence()
      await executor.append(third, tokensFrom(900, 100))
      executor.rollback(fork, 150)
      expect(fork.length).toBe(150)
      await expectReference(step(executor, fork, long.subarray(150, 154)), long.subarray(0, 154), 150)
      executor.free(fork)
      executor.free(third)
    })

    it(`rolls back ${rollbackTokens} tokens, and again`, async () => {
      const sequence = executor.createSequence()
      await executor.append(sequence, long.subarray(0, 160))
      for (const length of [160 - rollbackTokens, 160 - rollbackTokens + 1]) {
        const other = tokensFrom(700, 160 - length)
        executor.rollback(sequence, length)
        expect(sequence.length).toBe(length)
        const tokens = Uint32Array.of(...long.subarray(0, length), ...other)
        await expectReference(
          step(executor, sequence, other.subarray(0, 3)),
          tokens.subarray(0, length + 3),
          length,
        )
        await executor.append(sequence, other.subarray(3))
        executor.rollback(sequence, length)
        expect(sequence.length).toBe(length)
        await executor.append(sequence, long.subarray(length, 160))
      }
      executor.free(sequence)
    })

    it('rolls back further by its word: the tokens are there, or it says that none is', async () => {
      for (const lengths of [[20], [110, 90], [150, 30], [160, 0]]) {
        const sequence = executor.createSequence()
        await executor.append(sequence, long.subarray(0, 160))
        for (const length of lengths) {
          executor.rollback(sequence, Math.min(length, sequence.length))
          expect([0, length]).toContain(sequence.length)
          await executor.append(sequence, long.subarray(sequence.length, length))
          expect(sequence.length).toBe(length)
        }
        const length = lengths.at(-1)!
        await expectReference(
          step(executor, sequence, long.subarray(length, length + 3)),
          long.subarray(0, length + 3),
          length,
        )
        executor.free(sequence)
      }
    })
  })
}

interface Distribution {
  readonly token: number
  /** Of every token of the vocabulary. */
  readonly logprobs: readonly number[]
}

/** One step for each of `tokens`. */
async function step(on: Executor, sequence: Sequence, tokens: Uint32Array): Promise<Distribution[]> {
  const results: Distribution[] = []
  for (const token of tokens) {
    const [result] = await on.step([{ sequence, token, topLogprobs: on.spec.vocabSize }])
    results.push(distributionOf(result!))
  }
  return results
}

function distributionOf({
  token,
  topLogprobs,
}: {
  token: number
  topLogprobs: readonly TokenLogprob[]
}): Distribution {
  const logprobs = new Array<number>(topLogprobs.length)
  for (const entry of topLogprobs) logprobs[entry.token] = entry.logprob
  return { token, logprobs }
}
