import { BrasaError, type TensorFeed, type TensorType, type ValueInfo } from '@brasa/runtime'
import { formatCount } from '../format/units.ts'
import { words } from '../words/words.ts'
import { float16Bits } from './float16.ts'
import { resolveDims } from './shapes.ts'

export type Fill = 'zeros' | 'ones' | 'random' | 'typed'

/** What goes into one input. */
export interface InputChoice {
  readonly fill: Fill
  /** Numbers between commas or spaces, in row-major order; one number fills the tensor. */
  readonly typed: string
}

/** Elements of one input: 64 MB of float32. More than that is not something to try out by hand. */
const maxElements = 2 ** 24

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const

/** Least and greatest, for types that do not hold every number. */
const ranges: Partial<Record<TensorType, readonly [bigint, bigint]>> = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  bool: [0n, 1n],
}

/** What a type can be filled with. */
export const fillsOf = (type: TensorType): readonly Fill[] =>
  type === 'string' ? ['typed'] : ['random', 'zeros', 'ones', 'typed']

/** From where to where random numbers of a type are drawn. */
export function randomRange(type: TensorType): 'fraction' | 'bit' | 'digit' {
  if (!isInteger(type)) return 'fraction'
  return type === 'bool' ? 'bit' : 'digit'
}

/** Ones are what masks and small ids want; a model of numbers shows more with different ones. */
export function initialChoice({ type }: ValueInfo): InputChoice {
  return { fill: type === 'string' ? 'typed' : isInteger(type) ? 'ones' : 'random', typed: '' }
}

/**
 * The tensors to run a model with.
 * @throws BrasaError `invalid_request`, which names the input and says what it takes
 */
export function makeFeeds(
  inputs: readonly ValueInfo[],
  choices: Readonly<Record<string, InputChoice>>,
  sizes: Readonly<Record<string, string>>,
  random: () => number = Math.random,
): Readonly<Record<string, TensorFeed>> {
  return Object.fromEntries(
    inputs.map((info) => [
      info.name,
      makeFeed(info, resolveDims(info, sizes), choices[info.name] ?? initialChoice(info), random),
    ]),
  )
}

function makeFeed(
  { name, type }: ValueInfo,
  dims: readonly number[],
  { fill, typed }: InputChoice,
  random: () => number,
): TensorFeed {
  const size = dims.reduce((product, dim) => product * dim, 1)
  if (size > maxElements) {
    throw wrong(name, words.value.onnxPage.tooManyElements(name, formatCount(size)))
  }
  const values = fill === 'typed' ? typedValues(name, type, size, typed) : undefined
  if (type === 'string') return { type, dims, data: Array.from({ length: size }, (_, at) => values![at]!) }
  const next = (at: number): number | bigint => {
    if (values !== undefined) return parseNumber(name, type, values[at]!)
    if (fill !== 'random') return fill === 'ones' ? 1 : 0
    return isInteger(type) ? Math.floor(random() * (type === 'bool' ? 2 : 10)) : random()
  }
  if (type === 'int64' || type === 'uint64') {
    const data = type === 'int64' ? new BigInt64Array(size) : new BigUint64Array(size)
    for (let at = 0; at < size; at++) data[at] = BigInt(next(at))
    return { type, dims, data }
  }
  const data = new arrays[type](size)
  for (let at = 0; at < size; at++) {
    const value = Number(next(at))
    data[at] = type === 'float16' ? float16Bits(value) : value
  }
  return { type, dims, data }
}

/** As many as there are elements: one that is typed alone stands for all. */
function typedValues(name: string, type: TensorType, size: number, text: string): readonly string[] {
  const parts =
    type === 'string' ? splitStrings(text) : text.split(/[\s,;[\]]+/).filter((part) => part !== '')
  if (parts.length === size) return parts
  if (parts.length === 1 && size > 0) return new Array<string>(size).fill(parts[0]!)
  throw wrong(
    name,
    size === 1
      ? words.value.onnxPage.takesOneValue(name, parts.length)
      : words.value.onnxPage.takesValues(name, formatCount(size), parts.length),
  )
}

function splitStrings(text: string): readonly string[] {
  return text === '' ? [] : text.split(',').map((part) => part.trim())
}

function parseNumber(name: string, type: TensorType, text: string): number | bigint {
  const range = ranges[type]
  if (range === undefined) {
    const value = Number(text)
    if (!Number.isNaN(value)) return value
    throw wrong(name, words.value.onnxPage.noNumber(name, text))
  }
  if (type === 'bool' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true' ? 1 : 0
  const value = /^-?\d+$/.test(text) ? BigInt(text) : undefined
  if (value !== undefined && value >= range[0] && value <= range[1]) return value
  throw wrong(
    name,
    type === 'bool'
      ? words.value.onnxPage.noBit(name, text)
      : words.value.onnxPage.outOfRange(name, text, `${range[0]}`, `${range[1]}`),
  )
}

const isInteger = (type: TensorType) => ranges[type] !== undefined

function wrong(input: string, message: string): BrasaError {
  return new BrasaError('invalid_request', { message, details: { input } })
}
