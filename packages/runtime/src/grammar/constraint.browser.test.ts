import Ajv from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Executor, greedySettings } from '../backends/executor.ts'
import { createWasmExecutor } from '../backends/wasm/executor.ts'
import { openServedModel } from '../engine/served-model.ts'
import type { StructuredFormat } from '../protocol.ts'
import { createTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts'
import { createConstraint } from './constraint.ts'
import { hostileFormats } from './hostile-formats.test-support.ts'
import { randomSchema } from './random-schema.test-support.ts'
import { createToolCallParser } from './tool-calls.ts'
import { type ConstraintVocabulary, constraintVocabulary } from './vocabulary.ts'

let executor: Executor
let tokenizer: Tokenizer
let vocabulary: ConstraintVocabulary

beforeAll(async () => {
  const { spec, weights, header } = await openServedModel()
  tokenizer = createTokenizer(header.metadata)
  vocabulary = constraintVocabulary(tokenizer)
  executor = await createWasmExecutor(spec, weights, { contextLength: 512, maxBatchSize: 1 })
  // Fetches the library.
  const constraint = await createConstraint({ type: 'regex', pattern: 'a' }, vocabulary)
  constraint.free()
}, 120_000)
afterAll(() => executor?.dispose())

const noHistory = { promptTokens: new Uint32Array(), answerTokens: new Uint32Array() }

/** The model's answer in a format, as text; undefined where `maxTokens` cut it off. */
async function answer(
  format: StructuredFormat,
  { prompt = 'An example:\n', maxTokens = 48, temperature = 0.7, seed = 1 } = {},
): Promise<string | undefined> {
  const constraint = await createConstraint(format, vocabulary)
  const sequence = executor.createSequence()
  try {
    executor.configureSampling(sequence, { ...greedySettings, temperature, seed }, noHistory)
    const given = tokenizer.encode(prompt, { specialTokens: 'parse' })
    await executor.append(sequence, given.subarray(0, -1))
    const tokens: number[] = []
    for (let token = given.at(-1)!; tokens.length < maxTokens; ) {
      const mask = constraint.allowed()
      const [result] = await executor.step([{ sequence, token, allowedTokens: () => mask }])
      token = result!.token
      const allowed = await mask
      if (allowed) expect((allowed[token >>> 5]! >>> (token & 31)) & 1).toBe(1)
      if (tokenizer.eosTokenIds.has(token)) {
        expect(constraint.isComplete).toBe(true)
        return tokenizer.decode(tokens, { continues: true })
      }
      constraint.accept(token)
      tokens.push(token)
    }
    return undefined
  } finally {
    constraint.free()
    executor.free(sequence)
  }
}

describe('hostile formats are refused or answered within 2 s', () => {
  // Deeper than JSON text can be written.
  const deepest = Array.from({ length: 100_000 }).reduce<object>((items) => ({ type: 'array', items }), {})
  test.each([
    ...hostileFormats,
    ['the deepest nesting', () => ({ type: 'json_schema' as const, schema: deepest })] as const,
  ])('%s', async (_, formatOf) => {
    const startMs = performance.now()
    const outcome = await answer(formatOf(0), { maxTokens: 4 }).then(
      () => 'answered',
      (error) => error.code,
    )
    expect(['answered', 'invalid_request']).toContain(outcome)
    expect(performance.now() - startMs).toBeLessThan(20_000)
  })
})

test('a format that fails leaves other answers as they were', async () => {
  const schema = {
    type: 'object',
    properties: { a: { const: 'some longer text that takes several tokens' } },
    required: ['a'],
  }
  const [text] = await Promise.all([
    answer({ type: 'json_schema', schema }),
    ...Array.from({ length: 3 }, () =>
      expect(createConstraint({ type: 'ebnf', grammar: 'root ::= [' }, vocabulary)).rejects.toMatchObject({
        code: 'invalid_request',
      }),
    ),
  ])
  expect(text).toBe('{"a": "some longer text that takes several tokens"}')
})

test('formats that take seconds to compile, four at once, do not hold up an answer', async () => {
  const constraint = await createConstraint({ type: 'regex', pattern: 'a+' }, vocabulary)
  const [token] = tokenizer.encode('a', { specialTokens: 'parse' })
  const outcomes: string[] = []
  const hostile = Array.from({ length: 4 }, async (_, index) => {
    const grammar = `root ::= ([a-z]{0,300} "${index}" [0-9]){0,300}`
    const outcome = await createConstraint({ type: 'ebnf', grammar }, vocabulary).then(
      () => 'compiled',
      (error) => error.code,
    )
    outcomes.push(outcome)
  })
  let numMasks = 0
  for (; outcomes.length === 0 && numMasks < 500; numMasks++) {
    constraint.accept(token!)
    expect(await constraint.allowed()).toBeDefined()
  }
  constraint.free()
  await Promise.all(hostile)
  // Behind one of them there would be one mask, or none.
  expect(numMasks).toBeGreaterThan(5)
  expect(outcomes).toEqual(Array(4).fill('invalid_request'))
})

test('patterns, grammars and plain JSON', async () => {
  expect(await answer({ type: 'regex', pattern: '[a-c]{3}-\\d{1,3}x' })).toMatch(/^[a-c]{3}-\d{1,3}x$/)
  expect(await answer({ type: 'ebnf', grammar: 'root ::= "é" [xy] "→"' })).toMatch(/^é[xy]→$/)
  const text = await answer(
    { type: 'json_object' },
    { prompt: 'The user as JSON: ', temperature: 0, maxTokens: 60 },
  )
  if (text !== undefined) expect(JSON.parse(text)).toBeTypeOf('object')
})

describe('calls of tools', () => {
  const city = { type: 'object', properties: { city: { type: 'string', maxLength: 8 } }, required: ['city'] }
  const tools = ['get_weather', 'get_time'].map((name) => ({
    type: 'function' as const,
    function: { name, parameters: city },
  }))
  const call = async (choice: 'auto' | 'required' | { name: string }, parallel: boolean, maxTokens = 80) => {
    const prompt = choice === 'auto' ? 'Say hello.' : 'Paris: '
    const text = await answer(
      { type: 'tools', tools, choice, parallel },
      { prompt, maxTokens, temperature: 0 },
    )
    const parser = createToolCallParser(() => 'call_1')
    const calls = [parser.push(text ?? ''), parser.end()].flatMap(({ toolCalls }) => toolCalls)
    return {
      text,
      names: calls.flatMap(({ name }) => name ?? []),
      json: calls.map((part) => part.arguments).join(''),
    }
  }

  test('the named one, and no other', async () => {
    const { names, json } = await call({ name: 'get_time' }, true)
    expect(names).toEqual(['get_time'])
    expect(JSON.parse(json)).toEqual({ city: expect.any(String) })
  })

  test('one at least, and one at most where they are not to be parallel', async () => {
    const { names, json } = await call('required', false)
    expect(names).toHaveLength(1)
    expect(JSON.parse(json)).toEqual({ city: expect.any(String) })
  })

  test('none where the model would rather talk', async () => {
    const { names } = await call('auto', true, 20)
    expect(names).toEqual([])
  })
})

test('200 random schemas: what the model completes is valid', async () => {
  const ajv = new Ajv({ strict: false, validateFormats: false })
  const schemas = fc.sample(randomSchema(1), { numRuns: 200, seed: 9 })
  let numCompleted = 0
  for (const [seed, schema] of schemas.entries()) {
    const text = await answer({ type: 'json_schema', schema }, { maxTokens: 40, seed })
    if (text === undefined) continue
    numCompleted += 1
    expect(ajv.validate(schema, JSON.parse(text)), `${text} of ${JSON.stringify(schema)}`).toBe(true)
  }
  expect(numCompleted).toBeGreaterThan(150)
}, 240_000)
