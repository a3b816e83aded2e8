import { describe, expect, test } from 'vitest'
import { isBrasaError } from '../errors.ts'
import { parseGenerationParameters } from './parameters.ts'

const failure = (parameters: Record<string, unknown>) => {
  try {
    parseGenerationParameters(parameters)
  } catch (error) {
    if (isBrasaError(error)) return error
    throw error
  }
  throw new Error(`accepted ${JSON.stringify(parameters)}`)
}

describe('parseGenerationParameters', () => {
  test('fills in the documented defaults', () => {
    const settings = parseGenerationParameters({})
    expect(settings).toMatchObject({
      sampling: {
        temperature: 0.7,
        topP: 0.95,
        topK: 0,
        minP: 0,
        repetitionPenalty: 1,
        frequencyPenalty: 0,
        presencePenalty: 0,
        logitBias: [],
      },
      maxTokens: undefined,
      stop: [],
      topLogprobs: 0,
      ignoreEos: false,
    })
  })

  test('takes every parameter', () => {
    const settings = parseGenerationParameters({
      max_tokens: 7,
      temperature: 0,
      top_p: 0.5,
      top_k: 40,
      min_p: 0.05,
      repetition_penalty: 1.1,
      frequency_penalty: -2,
      presence_penalty: 2,
      logit_bias: { 7: -100, 12: 1.5 },
      seed: 4294967295,
      stop: 'END',
      top_logprobs: 5,
      ignore_eos: true,
    })
    expect(settings).toEqual({
      sampling: {
        temperature: 0,
        topP: 0.5,
        topK: 40,
        minP: 0.05,
        repetitionPenalty: 1.1,
        frequencyPenalty: -2,
        presencePenalty: 2,
        logitBias: [
          [7, -100],
          [12, 1.5],
        ],
        seed: 4294967295,
      },
      maxTokens: 7,
      stop: ['END'],
      topLogprobs: 5,
      ignoreEos: true,
    })
  })

  test('draws another 32-bit seed for each request without one', () => {
    const seeds = Array.from({ length: 8 }, () => parseGenerationParameters({}).sampling.seed)
    expect(new Set(seeds).size).toBeGreaterThan(1)
    for (const seed of seeds) expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32).toBe(true)
  })

  test('top_p 0 keeps the most likely token', () => {
    expect(parseGenerationParameters({ top_p: 0 }).sampling.topP).toBeGreaterThan(0)
  })

  test('a temperature next to 0 is greedy, as 0 is', () => {
    expect(parseGenerationParameters({ temperature: 1e-320 }).sampling.temperature).toBe(0)
    expect(parseGenerationParameters({ temperature: 1e-4 }).sampling.temperature).toBe(1e-4)
  })

  test('undefined is as good as left out', () => {
    expect(parseGenerationParameters({ temperature: undefined }).sampling.temperature).toBe(0.7)
  })

  const names = [
    'temperature',
    'top_p',
    'min_p',
    'repetition_penalty',
    'frequency_penalty',
    'presence_penalty',
  ]
  const whole = ['max_tokens', 'top_k', 'seed', 'top_logprobs']
  const wrong = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -3, '1', null, {}, true]
  test.each([...names, ...whole].flatMap((name) => wrong.map((value) => [name, value] as const)))(
    '%s refuses %s by name',
    (name, value) => {
      const error = failure({ [name]: value })
      expect(error.code).toBe('invalid_request')
      expect(error.details.parameter).toBe(name)
      expect(error.message).toContain(`"${name}"`)
      expect(error.message).toContain(typeof value === 'number' ? String(value) : JSON.stringify(value))
      expect(error.message).toMatch(/must be a (whole )?number from/)
    },
  )

  test.each([
    ['temperature', 5.01],
    ['top_p', 1.01],
    ['min_p', 1.01],
    ['repetition_penalty', 0],
    ['repetition_penalty', 11],
    ['frequency_penalty', 2.1],
    ['top_k', 1.5],
    ['max_tokens', 0],
    ['max_tokens', 1.5],
    ['seed', 2 ** 32],
    ['top_logprobs', 21],
    ['ignore_eos', 'yes'],
    ['logit_bias', { 7: 101 }],
    ['logit_bias', { x: 1 }],
    ['logit_bias', [1]],
    ['stop', ''],
    ['stop', ['a', '']],
    ['stop', [1]],
    ['stop', 5],
    ['stop', Array.from({ length: 17 }, () => 'x')],
  ])('%s refuses %j', (name, value) => {
    expect(failure({ [name]: value }).details.parameter).toBe(name)
  })

  test('names an unknown parameter and those known', () => {
    const error = failure({ temprature: 1 })
    expect(error.code).toBe('invalid_request')
    expect(error.message).toContain('"temprature"')
    expect(error.message).toContain('temperature')
  })
})
