import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createReferenceExecutor } from '../backends/reference/executor.ts'
import { tinyModel } from '../backends/reference/tiny-model.ts'
import type { EngineEvent } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { createAnswerTask } from './generate.ts'
import { createScheduler } from './scheduler.ts'
import { noThoughts } from './thoughts.ts'

const { spec, weights } = tinyModel()

async function open() {
  const executor = await createReferenceExecutor(spec, weights, { maxBatchSize: 3 })
  const scheduler = createScheduler({ executor, lookahead: 3 })
  const tokensFor = async ({ prompt, ...parameters }: Request, delayMs = 0) => {
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    const tokens: number[] = []
    const emit = (event: EngineEvent) => event.type === 'tokens' && tokens.push(...event.tokens)
    const task = createAnswerTask({
      text: {
        eosTokenIds: new Set([2]),
        tokenText: String,
        createDecoder: () => ({ push: String, end: () => '' }),
        createThoughtSplitter: () => noThoughts,
      },
      prompt: Uint32Array.from(prompt),
      settings: parseGenerationParameters(parameters),
      ...{ index: 0, answered: [], arrivedAtMs: 0, emit },
      usage: { cachedTokens: 0, completionTokens: 0 },
      contextLength: executor.contextLength,
      signal: new AbortController().signal,
    })
    await scheduler.run(task)
    return tokens
  }
  return { executor, tokensFor }
}

const shared = Array.from({ length: 40 }, (_, i) => (7 * i) % 131)
const request = fc.record({
  prompt: fc
    .tuple(fc.nat(40), fc.array(fc.nat(130), { minLength: 1, maxLength: 50 }))
    .map(([length, own]) => [...shared.slice(0, length), ...own]),
  temperature: fc.constantFrom(0, 0.7, 2),
  top_p: fc.constantFrom(1, 0.9),
  frequency_penalty: fc.constantFrom(0, 1),
  repetition_penalty: fc.constantFrom(1, 1.2),
  seed: fc.nat(1000),
  max_tokens: fc.integer({ min: 1, max: 12 }),
})
type Request = typeof request extends fc.Arbitrary<infer T> ? T : never

test('a request’s tokens are the same alone and among others, whenever they come', async () => {
  const requests = fc.array(fc.tuple(request, fc.nat(60)), { minLength: 3, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(requests, async (drawn) => {
      const together = await open()
      const answers = await Promise.all(drawn.map(([one, delayMs]) => together.tokensFor(one, delayMs)))
      together.executor.dispose()
      for (const [index, [one]] of drawn.entries()) {
        const alone = await open()
        expect(answers[index]).toEqual(await alone.tokensFor(one))
        alone.executor.dispose()
      }
    }),
    { numRuns: 4, seed: 11 },
  )
}, 60_000)
