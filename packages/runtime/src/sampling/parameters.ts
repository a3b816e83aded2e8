import * as v from 'valibot'
import { BrasaError } from '../errors.ts'
import type { GenerationSettings } from '../protocol.ts'
import { samplingDefaults } from './defaults.ts'

const maxStopStrings = 16

const leastTemperature = 1e-4

const number = (range: string, min: number, max: number) => {
  const allowed = `a number from ${range}`
  return v.pipe(v.number(allowed), v.minValue(min, allowed), v.maxValue(max, allowed))
}

const integer = (range: string, min: number, max: number) => {
  const allowed = `a whole number from ${range}`
  return v.pipe(v.number(allowed), v.integer(allowed), v.minValue(min, allowed), v.maxValue(max, allowed))
}

const biasAllowed = 'an object of at most 1024 token ids, each with a number from -100 to 100'
const biasSchema = v.pipe(
  // A record may be a list.
  v.custom<object>((given) => !Array.isArray(given), biasAllowed),
  v.record(
    v.pipe(v.string(biasAllowed), v.regex(/^\d{1,9}$/, biasAllowed)),
    v.pipe(v.number(biasAllowed), v.minValue(-100, biasAllowed), v.maxValue(100, biasAllowed)),
    biasAllowed,
  ),
  v.maxEntries(1024, biasAllowed),
)

const stopAllowed = `a non-empty string, or a list of at most ${maxStopStrings} of them`
const stopString = v.pipe(v.string(stopAllowed), v.minLength(1, stopAllowed))

/** Messages of these schemas say what is allowed; whoever parses puts name and value before them. */
export const generationEntries = {
  max_tokens: v.optional(integer('1 up', 1, Number.MAX_SAFE_INTEGER)),
  temperature: v.optional(number('0 to 5', 0, 5)),
  top_p: v.optional(number('0 to 1', 0, 1)),
  top_k: v.optional(integer('0 (off) to 2147483647', 0, 2 ** 31 - 1)),
  min_p: v.optional(number('0 to 1', 0, 1)),
  repetition_penalty: v.optional(number('0.1 to 10', 0.1, 10)),
  frequency_penalty: v.optional(number('-2 to 2', -2, 2)),
  presence_penalty: v.optional(number('-2 to 2', -2, 2)),
  logit_bias: v.optional(biasSchema),
  seed: v.optional(integer('0 to 4294967295', 0, 2 ** 32 - 1)),
  stop: v.optional(
    v.union(
      [stopString, v.pipe(v.array(stopString, stopAllowed), v.maxLength(maxStopStrings, stopAllowed))],
      stopAllowed,
    ),
  ),
  top_logprobs: v.optional(integer('0 (off) to 20', 0, 20)),
  ignore_eos: v.optional(v.boolean('true or false')),
}

const schema = v.strictObject(generationEntries)

/**
 * OpenAI-shaped parameters as the engine takes them, defaults filled in and a seed drawn where there is none.
 * @param parameters a request without its prompt and `stream`
 * @throws BrasaError `invalid_request` that names the parameter, its value and what is allowed
 */
export function parseGenerationParameters(parameters: Readonly<Record<string, unknown>>): GenerationSettings {
  const given = Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined))
  const result = v.safeParse(schema, given)
  if (!result.success) throw invalidParameter(given, result.issues[0])
  const output = { ...samplingDefaults, ...result.output }
  return {
    sampling: {
      // Nothing but the most likely token would be drawn, and a logit divided by as little is no number any more.
      temperature: output.temperature < leastTemperature ? 0 : output.temperature,
      topK: output.top_k,
      // The smallest set that reaches any positive probability is the most likely token: what 0 asks for.
      topP: Math.max(output.top_p, 1e-6),
      minP: output.min_p,
      repetitionPenalty: output.repetition_penalty,
      frequencyPenalty: output.frequency_penalty,
      presencePenalty: output.presence_penalty,
      logitBias: Object.entries(output.logit_bias ?? {}).map(([token, bias]) => [Number(token), bias]),
      seed: output.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]!,
    },
    maxTokens: output.max_tokens,
    stop: typeof output.stop === 'string' ? [output.stop] : (output.stop ?? []),
    topLogprobs: output.top_logprobs ?? 0,
    ignoreEos: output.ignore_eos ?? false,
  }
}

function invalidParameter(given: Record<string, unknown>, issue: v.BaseIssue<unknown>): BrasaError {
  const parameter = String(issue.path?.[0]?.key ?? 'request')
  if (!(parameter in schema.entries)) {
    return new BrasaError('invalid_request', {
      message: `Unknown parameter "${parameter}". Known are: ${Object.keys(schema.entries).join(', ')}.`,
      details: { parameter },
    })
  }
  const value = show(given[parameter])
  return new BrasaError('invalid_request', {
    message: `"${parameter}" is ${value}; it must be ${issue.message}.`,
    details: { parameter, value, allowed: issue.message },
  })
}

/** JSON turns NaN and Infinity into null; a message must not. */
function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
