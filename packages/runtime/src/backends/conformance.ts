// What every executor must do, as tests. A backend's own test file calls `describeExecutor`.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GgmlType } from '../formats/gguf.ts'
import {
  type Executor,
  greedySettings,
  type SamplingSettings,
  type Sequence,
  type StepResult,
} from './executor.ts'
import { type ConformanceOptions, describeOptions, type MakeExecutor } from './option-conformance.ts'
import { createReferenceExecutor } from './reference/executor.ts'
import { type TinyModelOptions, tinyModel } from './reference/tiny-model.ts'

const contextLength = 80
const prompt = Uint32Array.from({ length: 37 }, (_, i) => (i * 29 + 3) % 131)
const noHistory = { promptTokens: new Uint32Array(0), answerTokens: new Uint32Array(0) }

const models: readonly TinyModelOptions[] = [
  { type: 'Q4_1' },
  { type: 'Q4_0', tied: false, embeddingType: 'F16' },
  { type: 'Q8_0', tied: false, embeddingType: 'Q4_0' },
  { type: 'F16' },
  { type: 'BF16', embeddingType: 'F32' },
  { type: 'Q5_1', typeOf: { 'attn_v.weight': 'Q8_0', 'ffn_up.weight': 'IQ4_NL' } },
  { type: 'Q4_K', embeddingType: 'Q6_K', typeOf: { 'attn_v.weight': 'Q6_K', 'ffn_down.weight': 'Q5_K' } },
  { type: 'Q2_K', typeOf: { 'attn_k.weight': 'Q3_K', 'ffn_gate.weight': 'IQ4_XS' } },
]

const namesOf = ({
  type,
  embeddingType,
  typeOf = {},
}: TinyModelOptions): readonly (GgmlType | undefined)[] => [
  ...new Set([type, embeddingType, ...Object.values(typeOf)]),
]

/** Tests of `makeExecutor` on tiny random models, against the float64 reference. */
export function describeExecutor(
  name: string,
  makeExecutor: MakeExecutor,
  { tolerance }: ConformanceOptions,
): void {
  describe(`${name}: an executor`, () => {
    const options = { contextLength, maxBatchSize: 3 }
    const { spec, weights } = tinyModel()
    let executor: Executor
    let reference: Executor

    beforeAll(async () => {
      reference = await createReferenceExecutor(spec, weights, options)
      executor = await makeExecutor(spec, weights, options)
    }, 60_000)
    afterAll(() => executor?.dispose())

    /** Runs `use` with a new sequence that holds the prompt, all but its last token. */
    async function withPrompt<T>(on: Executor, use: (sequence: Sequence) => Promise<T>): Promise<T> {
      const sequence = on.createSequence()
      try {
        on.configureSampling(sequence, greedySettings, noHistory)
        await on.append(sequence, prompt.subarray(0, -1))
        return await use(sequence)
      } finally {
        on.free(sequence)
      }
    }

    const expectedTokens = (count: number) =>
      withPrompt(reference, (sequence) => answer(reference, sequence, count)).then(tokensOf)

    it.each(models.map((model) => [namesOf(model).join(' '), model] as const))(
      'has the log-probabilities of the reference with %s',
      async (_, model) => {
        const { spec, weights } = tinyModel(model)
        const expected = await createReferenceExecutor(spec, weights, options)
        const actual = await makeExecutor(spec, weights, options)
        const results = []
        for (const on of [expected, actual]) {
          results.push(await withPrompt(on, (sequence) => answer(on, sequence, 8, 5)))
          on.dispose()
        }
        expectClose(results[1]!, results[0]!, tolerance)
      },
    )

    it('scores given tokens, several steps in flight, the rows of one batch as each by itself', async () => {
      const candidates = [130, 0, 57]
      const scoresOf = async (on: Executor, together: boolean) => {
        const rows = [on.createSequence(), on.createSequence()].map((sequence, i) => ({
          sequence,
          start: 9 * i,
        }))
        const perStep = together ? [rows] : rows.map((row) => [row])
        const scores: (readonly number[])[] = []
        for (const group of perStep) {
          const inFlight = []
          for (let position = 0; position < 4; position++) {
            inFlight.push(
              on.step(
                group.map(({ sequence, start }) => ({
                  sequence,
                  token: prompt[start + position]!,
                  logprobsOf: [prompt[start + position + 1]!, ...candidates],
                  topLogprobs: position,
                })),
              ),
            )
          }
          const steps = await Promise.all(inFlight)
          for (const i of group.keys()) scores.push(steps.flatMap((step) => step[i]!.logprobs))
          expect(steps.map((step) => step[0]!.topLogprobs.length)).toEqual([0, 1, 2, 3])
        }
        for (const { sequence } of rows) on.free(sequence)
        return scores.flat()
      }
      const expected = await scoresOf(reference, false)
      const actual = await scoresOf(executor, true)
      expect(actual).toHaveLength(2 * 4 * 4)
      for (const [i, logprob] of expected.entries()) {
        expect(Math.abs(actual[i]! - logprob)).toBeLessThan(tolerance)
      }
    })

    it('gives log-probabilities that are one distribution', async () => {
      await withPrompt(executor, async (sequence) => {
        const everyToken = Array.from({ length: spec.vocabSize }, (_, token) => token)
        const row = { sequence, token: prompt.at(-1)!, topLogprobs: 3, logprobsOf: everyToken }
        const [result] = await executor.step([row])
        const sum = result!.logprobs.reduce((total, logprob) => total + Math.exp(logprob), 0)
        expect(sum).toBeCloseTo(1, 6)
        for (const { token, logprob } of result!.topLogprobs) expect(result!.logprobs[token]).toBe(logprob)
        expect(Math.max(...result!.logprobs)).toBe(result!.topLogprobs[0]!.logprob)
        const [plain] = await executor.step([{ sequence }])
        expect(plain).toMatchObject({ logprobs: [], topLogprobs: [] })
      })
    })

    it('gives the same answer however the prompt is cut', async () => {
      const whole = await expectedTokens(6)
      const sequence = executor.createSequence()
      executor.configureSampling(sequence, greedySettings, noHistory)
      for (const [start, end] of [
        [0, 1],
        [1, 18],
        [18, 36],
      ]) {
        await executor.append(sequence, prompt.subarray(start, end))
      }
      expect(tokensOf(await answer(executor, sequence, 6))).toEqual(whole)
      expect(sequence.length).toBe(prompt.length + 5)
      executor.free(sequence)
    })

    it('keeps four steps in flight', async () => {
      const expected = await expectedTokens(12)
      await withPrompt(executor, async (sequence) => {
        const inFlight = [executor.step([{ sequence, token: prompt.at(-1)! }])]
        const tokens: number[] = []
        while (tokens.length < expected.length) {
          while (inFlight.length < 4 && tokens.length + inFlight.length < expected.length) {
            inFlight.push(executor.step([{ sequence }]))
          }
          tokens.push((await inFlight.shift()!)[0]!.token)
        }
        expect(tokens).toEqual(expected)
      })
    })

    it('runs several sequences in one step as it would one by one', async () => {
      const starts = [5, 17, 36]
      const alone = []
      for (const start of starts) {
        const sequence = reference.createSequence()
        await reference.append(sequence, prompt.subarray(0, start))
        alone.push(tokensOf(await answer(reference, sequence, 5, 0, prompt[start])))
        reference.free(sequence)
      }
      const sequences = starts.map(() => executor.createSequence())
      for (const [i, sequence] of sequences.entries()) {
        executor.configureSampling(sequence, greedySettings, noHistory)
        await executor.append(sequence, prompt.subarray(0, starts[i]))
      }
      const together: number[][] = starts.map(() => [])
      for (let step = 0; step < 5; step++) {
        const rows = sequences.map((sequence, i) => ({
          sequence,
          ...(step === 0 && { token: prompt[starts[i]!]! }),
        }))
        const results = await executor.step(rows)
        for (const [i, { token }] of results.entries()) together[i]!.push(token)
      }
      for (const sequence of sequences) executor.free(sequence)
      expect(together).toEqual(alone)
    })

    it('forks a sequence, and neither disturbs the other', async () => {
      const expected = await expectedTokens(5)
      await withPrompt(executor, async (sequence) => {
        const fork = executor.fork(sequence)
        executor.configureSampling(fork, greedySettings, noHistory)
        await answer(executor, fork, 4, 0, 99)
        expect(tokensOf(await answer(executor, sequence, 5))).toEqual(expected)
        executor.rollback(fork, prompt.length - 1)
        expect(tokensOf(await answer(executor, fork, 5))).toEqual(expected)
        executor.free(fork)
      })
    })

    it('rolls a sequence back', async () => {
      const expected = await expectedTokens(6)
      await withPrompt(executor, async (sequence) => {
        await answer(executor, sequence, 20, 0, 7)
        executor.rollback(sequence, 20)
        expect(sequence.length).toBe(20)
        await executor.append(sequence, prompt.subarray(20, -1))
        expect(tokensOf(await answer(executor, sequence, 6))).toEqual(expected)
      })
    })

    it('reports progress, and stops between chunks', async () => {
      const sequence = executor.createSequence()
      const progress: number[] = []
      await executor.append(sequence, prompt, { onProgress: (done) => progress.push(done) })
      expect(progress.at(-1)).toBe(prompt.length)
      expect(progress).toEqual([...progress].sort((a, b) => a - b))
      const stopped = executor.append(sequence, prompt, { signal: AbortSignal.abort() })
      await expect(stopped).rejects.toMatchObject({ code: 'aborted' })
      expect(sequence.length).toBe(prompt.length)
      executor.free(sequence)
    })

    it('refuses more tokens than the context holds', async () => {
      const sequence = executor.createSequence()
      await executor.append(sequence, new Uint32Array(contextLength - 1).fill(5))
      await expect(executor.append(sequence, prompt)).rejects.toMatchObject({
        code: 'context_length_exceeded',
      })
      await executor.step([{ sequence, token: 5 }])
      await expect(executor.step([{ sequence }])).rejects.toMatchObject({ code: 'context_length_exceeded' })
      expect(sequence.length).toBe(contextLength)
      executor.free(sequence)
    })

    it.each<[string, Partial<SamplingSettings>]>([
      ['temperature', { temperature: 1 }],
      ['another seed', { temperature: 1, seed: 4_000_000_000 }],
      ['a high temperature', { temperature: 4, seed: 2 }],
      ['top-k', { temperature: 2, topK: 4, seed: 3 }],
      ['top-p', { temperature: 2, topP: 0.6, seed: 4 }],
      ['min-p', { temperature: 2, minP: 0.2, seed: 5 }],
      ['all filters', { temperature: 1.5, topK: 20, topP: 0.9, minP: 0.05, seed: 6 }],
      ['a repetition penalty', { repetitionPenalty: 1.8 }],
      ['a frequency penalty', { frequencyPenalty: 1.5 }],
      ['a presence penalty', { presencePenalty: 1.5 }],
      [
        'all penalties',
        { temperature: 1, repetitionPenalty: 1.2, frequencyPenalty: 0.5, presencePenalty: 0.4, seed: 7 },
      ],
      [
        'a bias',
        {
          temperature: 1,
          logitBias: [
            [3, 4],
            [40, -2.5],
          ],
          seed: 8,
        },
      ],
    ])('samples as the reference does with %s', async (_, settings) => {
      const answers = []
      for (const on of [reference, executor]) {
        const tokens = await withPrompt(on, (sequence) => {
          const history = { promptTokens: prompt, answerTokens: Uint32Array.of(3, 4, 4) }
          on.configureSampling(sequence, { ...greedySettings, ...settings }, history)
          return answer(on, sequence, 16)
        })
        answers.push(tokensOf(tokens))
      }
      expect(answers[1]).toEqual(answers[0])
    })

    it('samples what masks allow, asked for once a step, and what the bias says', async () => {
      const numSteps = 8
      const answers: number[][] = []
      for (const on of [reference, executor]) {
        const sequences = [on.createSequence(), on.createSequence()]
        const answer: number[] = []
        for (const [i, sequence] of sequences.entries()) {
          await on.append(sequence, prompt.subarray(0, -1))
          const settings = {
            ...greedySettings,
            temperature: i,
            seed: 21,
            logitBias: [
              [7, -100],
              [9, 100],
              [11, 2.5],
            ] as const,
          }
          on.configureSampling(sequence, settings, noHistory)
        }
        for (let step = 0; step < numSteps; step++) {
          let numAsked = 0
          const rows = sequences.map((sequence, i) => ({
            sequence,
            ...(step === 0 && { token: prompt.at(-1)! }),
            ...(step === 5 && { logprobsOf: [9] }),
            // Without a mask, with one, with one that is made while the device computes, and of all tokens.
            ...((step + i) % 4 !== 0 && {
              allowedTokens: () => {
                numAsked += 1
                const mask = maskFrom(step, spec.vocabSize)
                return (step + i) % 4 === 1 ? mask : Promise.resolve((step + i) % 4 === 2 ? mask : undefined)
              },
            }),
          }))
          const results = await on.step(rows)
          expect(numAsked).toBe(rows.filter(({ allowedTokens }) => allowedTokens).length)
          for (const [i, { token }] of results.entries()) {
            answer.push(token)
            if ((step + i) % 4 === 0 || (step + i) % 4 === 3) expect(token).toBe(9)
            else expect(token % 5).toBe(step % 5)
          }
          // The model's own: token 9 is not allowed here.
          if (step === 5) expect(results[0]!.logprobs[0]).toBeGreaterThan(-50)
        }
        for (const sequence of sequences) on.free(sequence)
        answers.push(answer)
      }
      expect(answers[1]).toEqual(answers[0])
    })

    it('knows a sequence that was freed, and what it was disposed of', async () => {
      const { spec, weights } = tinyModel({ numBlocks: 1 })
      const own = await makeExecutor(spec, weights, options)
      const sequence = own.createSequence()
      expect(own.memory().weightBytes).toBeGreaterThan(0)
      own.free(sequence)
      await expect(own.append(sequence, prompt)).rejects.toMatchObject({ code: 'internal' })
      const other = own.createSequence()
      const step = own.step([{ sequence: other, token: 1 }])
      own.dispose()
      await expect(step).rejects.toMatchObject({ code: 'disposed' })
      await expect(own.step([{ sequence: other, token: 1 }])).rejects.toMatchObject({ code: 'disposed' })
    })
  })
  describeOptions(name, makeExecutor, { tolerance })
}

/** `count` steps one after the other, the first one adding `token`. */
async function answer(
  executor: Executor,
  sequence: Sequence,
  count: number,
  topLogprobs = 0,
  token = prompt.at(-1)!,
): Promise<StepResult[]> {
  const results: StepResult[] = []
  for (let step = 0; step < count; step++) {
    const row = { sequence, topLogprobs, ...(step === 0 && { token }) }
    results.push((await executor.step([row]))[0]!)
  }
  return results
}

/** Every fifth token. */
function maskFrom(first: number, vocabSize: number): Uint32Array {
  const mask = new Uint32Array(Math.ceil(vocabSize / 32))
  for (let token = first % 5; token < vocabSize; token += 5) mask[token >>> 5]! |= 1 << (token & 31)
  return mask
}

const tokensOf = (results: readonly StepResult[]): number[] => results.map(({ token }) => token)

function expectClose(
  actual: readonly StepResult[],
  expected: readonly StepResult[],
  tolerance: number,
): void {
  expect(tokensOf(actual)).toEqual(tokensOf(expected))
  for (const [step, { topLogprobs }] of expected.entries()) {
    expect(actual[step]!.topLogprobs).toHaveLength(topLogprobs.length)
    for (const [rank, { logprob }] of topLogprobs.entries()) {
      expect(Math.abs(actual[step]!.topLogprobs[rank]!.logprob - logprob)).toBeLessThan(tolerance)
    }
  }
}
