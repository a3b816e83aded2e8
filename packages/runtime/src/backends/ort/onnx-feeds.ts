import { BrasaError } from '../../errors.ts'
import type { Feeds, TensorData, TensorFeed, TensorType, ValueInfo } from '../../onnx-protocol.ts'

/** The arrays that hold each type's elements. */
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
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const

/** The type whose elements an array holds, bits of other types left aside; undefined for an array of none. */
export function typeOf(data: unknown): TensorType | undefined {
  if (Array.isArray(data)) return 'string'
  return (Object.keys(arrays) as (keyof typeof arrays)[]).find(
    (type) => data instanceof arrays[type] && type !== 'float16' && type !== 'bool',
  )
}

/**
 * Compares feeds with a model's inputs: names, types, ranks, fixed dimensions and the number of elements. Dimensions of one
 * name may differ in models that broadcast.
 * @throws BrasaError `invalid_request` that says what was expected
 */
export function checkFeeds(feeds: Feeds, inputs: readonly ValueInfo[]): void {
  const expected = inputs.map(describe).join(', ') || 'nothing'
  const refuse = (input: string, what: string) =>
    new BrasaError('invalid_request', {
      message: `${what} The model takes: ${expected}.`,
      details: { parameter: input, expected: inputs.map(describe) },
    })

  if (typeof feeds !== 'object' || feeds === null) {
    throw refuse('feeds', 'The feeds must be an object with one tensor an input.')
  }
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((input) => input.name === name)) throw refuse(name, `There is no input "${name}".`)
  }
  for (const input of inputs) {
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined
    if (feed === undefined) throw refuse(input.name, `The input "${input.name}" is missing.`)
    const wrong = wrongType(feed, input) ?? wrongShape(feed, input)
    if (wrong !== undefined) throw refuse(input.name, wrong)
  }
}

function describe({ name, type, dims }: ValueInfo): string {
  return `"${name}" ${type}[${dims.map((dim) => dim ?? '?').join(', ')}]`
}

function wrongType({ data, type }: TensorFeed, input: ValueInfo): string | undefined {
  if (type !== undefined && type !== input.type) {
    return `The input "${input.name}" is of type ${input.type}, not ${type}.`
  }
  const isRight =
    input.type === 'string'
      ? Array.isArray(data) && data.every((text) => typeof text === 'string')
      : data instanceof (arrays[input.type] ?? Never)
  if (isRight) return undefined
  const wanted = input.type === 'string' ? 'an array of strings' : `a ${arrays[input.type]?.name}`
  return `The input "${input.name}" is of type ${input.type}: its data must be ${wanted}, not ${nameOf(data)}.`
}

class Never {}

function nameOf(data: TensorData | undefined): string {
  return data?.constructor?.name ?? String(data)
}

function wrongShape({ dims, data }: TensorFeed, input: ValueInfo): string | undefined {
  const shape = Array.isArray(dims) ? `[${dims.join(', ')}]` : String(dims)
  if (!Array.isArray(dims) || !dims.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) {
    return `The dims of "${input.name}" are ${shape}: they must be an array of whole numbers.`
  }
  const fits =
    dims.length === input.dims.length &&
    input.dims.every((dim, axis) => typeof dim !== 'number' || dim === dims[axis])
  if (!fits)
    return `The input "${input.name}" has shape [${input.dims.map((dim) => dim ?? '?').join(', ')}], not ${shape}.`
  const count = dims.reduce((product: number, dim: number) => product * dim, 1)
  if (count === data.length) return undefined
  return `The input "${input.name}" of shape ${shape} needs ${count} elements, and its data has ${data.length}.`
}
