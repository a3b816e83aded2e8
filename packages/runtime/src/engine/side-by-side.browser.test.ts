import { expect, test } from 'vitest'
import { tinyModelFile } from '../backends/reference/tiny-model-file.ts'
import type { BackendChoice, EngineService, GenerateRequest } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { loadEngine } from './load.ts'
import { createEngineService } from './service.ts'

async function open(backend: BackendChoice) {
  const service = createEngineService(loadEngine)
  const { href } = globalThis.location
  service.load(1, { model: tinyModelFile(), backend, catalogueUrl: href, baseUrl: href })
  while ((await service.next(1)).length > 0);
  return service
}

let lastStream = 1

/** Tokens by answer. */
async function tokensFor(service: EngineService, request: GenerateRequest): Promise<number[][]> {
  const stream = ++lastStream
  service.generate(stream, request)
  const tokens = Array.from({ length: request.settings.numAnswers ?? 1 }, () => [] as number[])
  for (;;) {
    const events = await service.next(stream)
    if (events.length === 0) return tokens
    for (const event of events) {
      if (event.type === 'tokens') tokens[event.answer ?? 0]!.push(...event.tokens)
    }
  }
}

const ask = (prompt: string, numAnswers: number, parameters: Record<string, unknown>): GenerateRequest => ({
  input: { prompt },
  settings: {
    ...parseGenerationParameters({ seed: 3, ignore_eos: true, max_tokens: 20, ...parameters }),
    numAnswers,
  },
})

const beginning = 'All of these begin with the very same words, and then '
const requests = [
  ask('Hello', 1, { temperature: 0 }),
  ask(`${beginning}they part`, 1, { temperature: 0, max_tokens: 7 }),
  ask(`${beginning}each goes its way`, 3, { temperature: 1.5, top_p: 0.9 }),
  ask(beginning.repeat(2), 1, { temperature: 1, frequency_penalty: 1 }),
  ask('x', 2, { temperature: 0.7, top_k: 9, max_tokens: 33 }),
]

test.each(['webgpu', 'wasm'] as const)(
  'answers side by side on %s are those of the reference, one after another',
  async (backend) => {
    const [service, reference] = await Promise.all([open(backend), open('reference')])
    const together = await Promise.all(requests.map((request) => tokensFor(service, request)))
    for (const [index, request] of requests.entries()) {
      expect(together[index]).toEqual(await tokensFor(reference, request))
    }
    await Promise.all([service.dispose(), reference.dispose()])
  },
  120_000,
)
