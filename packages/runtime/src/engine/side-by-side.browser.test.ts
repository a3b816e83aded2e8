import Ajv from 'ajv'
import { describe, expect, test } from 'vitest'
import { tinyModelFile } from '../backends/reference/tiny-model-file.ts'
import type { BackendChoice, EngineService, GenerateRequest, StructuredFormat } from '../protocol.ts'
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

interface Answer {
  readonly tokens: readonly number[]
  readonly text: string
  readonly end: string
}

/** By their number. */
async function answersTo(service: EngineService, request: GenerateRequest): Promise<readonly Answer[]> {
  const stream = ++lastStream
  service.generate(stream, request)
  const answers = Array.from({ length: request.settings.numAnswers ?? 1 }, () => ({
    ...{ tokens: [] as number[], text: '', end: '' },
  }))
  for (;;) {
    const events = await service.next(stream)
    if (events.length === 0) return answers
    for (const event of events) {
      if (event.type !== 'tokens' && event.type !== 'done') continue
      const answer = answers[event.answer ?? 0]!
      if (event.type === 'done') answer.end = event.finishReason
      else {
        answer.tokens.push(...event.tokens)
        answer.text += event.text
      }
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

const schema = {
  type: 'object',
  properties: {
    kind: { enum: ['a', 'b c'] },
    size: { type: 'integer', minimum: 3, maximum: 120 },
    tags: { type: 'array', items: { type: 'string', maxLength: 3 }, maxItems: 2 },
  },
  required: ['kind', 'size', 'tags'],
  additionalProperties: false,
}
const ajv = new Ajv()

/** Formats that any answer comes to an end of, and whether a text is of them. */
const formats: readonly (readonly [StructuredFormat, (text: string) => boolean])[] = [
  [{ type: 'json_schema', schema }, (text) => ajv.validate(schema, JSON.parse(text))],
  [{ type: 'regex', pattern: '[a-f]{2,5}-\\d{1,3}' }, (text) => /^[a-f]{2,5}-\d{1,3}$/.test(text)],
  [
    { type: 'ebnf', grammar: 'root ::= pair pair?\npair ::= "<" [xyz] ">" | "(" [0-9] ")"' },
    (text) => /^(<[xyz]>|\(\d\)){1,2}$/.test(text),
  ],
]
/** A model of random weights says anything, so that only the mask keeps it to the format. */
const formatted = formats.map(([format], index) => {
  const request = ask('Say it', 2, { temperature: 1.5, max_tokens: 120, ignore_eos: false, seed: index })
  return { ...request, settings: { ...request.settings, format } }
})

describe.each(['webgpu', 'wasm', 'ort'] as const)('on %s', (backend) => {
  test('answers side by side are those of the reference, one after another, and in their format', async () => {
    const [service, reference] = await Promise.all([open(backend), open('reference')])
    const all = [...requests, ...formatted]
    const together = await Promise.all(all.map((request) => answersTo(service, request)))
    for (const [index, request] of all.entries()) {
      expect(together[index]).toEqual(await answersTo(reference, request))
    }
    for (const [index, answers] of together.slice(requests.length).entries()) {
      const [, isOfFormat] = formats[index]!
      for (const { text, end } of answers) {
        expect(end).toBe('stop')
        expect(isOfFormat(text), text).toBe(true)
      }
    }
    await Promise.all([service.dispose(), reference.dispose()])
  }, 120_000)
})
