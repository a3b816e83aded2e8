// Own reader: @huggingface/gguf fetches URLs itself, fails with untyped errors, and leaves tensor ranges, duplicates and
// products unchecked.

import { BrasaError } from '../errors.ts'
import type { ByteSource } from '../storage/byte-source.ts'
import { type GgmlType, ggmlTypeLabel, ggmlTypeNames, ggmlTypeOf, ggmlTypes } from './ggml-types.ts'
import { type HeaderCursor, headerCursor, malformed, truncated } from './header-cursor.ts'

export type { GgmlType } from './ggml-types.ts'

export interface TensorInfo {
  readonly name: string
  readonly type: GgmlType
  /** Row-major as mathematics writes it, the reverse of GGUF's order: (rows, columns). */
  readonly shape: readonly number[]
  /** Which part of a split GGUF holds it; 0 where there is one file. */
  readonly file: number
  /** From the start of that file. */
  readonly byteOffset: number
  readonly byteLength: number
}

/** 64-bit integers are numbers where a number is exact. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[]

/** The header of a GGUF file, every count and offset in it checked against the file's size. */
export interface GgufHeader {
  readonly version: 2 | 3
  readonly metadata: ReadonlyMap<string, GgufValue>
  /** In file order; no two share a byte. */
  readonly tensors: ReadonlyMap<string, TensorInfo>
  /** Where the tensors' bytes start in the (first) file. */
  readonly dataOffset: number
}

const magic = 0x46554747
const maxDimensions = 4
const maxArrayDepth = 3
/** Values all arrays may have together: what one page can hold, and 16 times what a vocabulary of 262,144 needs. */
const maxArrayItems = 16 * 1024 * 1024

/**
 * Reads a GGUF header, version 2 or 3, in ranges; the tensors' bytes stay where they are.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 * @throws BrasaError `not_a_gguf`, `truncated_model`, `malformed_model`, `unsupported_tensor_type`, what the source throws
 */
export async function readGguf(source: ByteSource, signal?: AbortSignal): Promise<GgufHeader> {
  const cursor = headerCursor(source, signal)
  const version = await readVersion(cursor)
  const { numTensors, numKeys } = await cursor.entry(() => ({
    numTensors: cursor.size64('The number of tensors'),
    numKeys: cursor.size64('The number of metadata keys'),
  }))
  cursor.expect(numKeys, 13, 'The metadata')
  cursor.expect(numTensors, 32, 'The list of tensors')

  const metadata = new Map<string, GgufValue>()
  let budget = { arrayItems: maxArrayItems }
  for (let index = 0; index < numKeys; index++) {
    const read = await cursor.entry(() => {
      const left = { ...budget }
      const key = cursor.string(`the name of metadata key ${index}`)
      return { key, value: readValue(cursor, cursor.u32(), key, left, 0), left }
    })
    const { key, value } = read
    budget = read.left
    if (metadata.has(key)) throw malformed(`The metadata has the key "${key}" twice.`, { key })
    metadata.set(key, value)
  }

  const listed: ListedTensor[] = []
  for (let index = 0; index < numTensors; index++) {
    listed.push(await cursor.entry(() => readTensorInfo(cursor, index)))
  }
  const alignment = readAlignment(metadata)
  const dataOffset = Math.ceil(cursor.offset / alignment) * alignment
  return { version, metadata, tensors: placeTensors(listed, dataOffset, alignment, source.size), dataOffset }
}

async function readVersion(cursor: HeaderCursor): Promise<2 | 3> {
  const isGguf = cursor.size >= 4 && (await cursor.entry(() => cursor.u32())) === magic
  if (!isGguf) {
    throw new BrasaError('not_a_gguf', {
      message:
        'This is not a GGUF file: it does not begin with the letters GGUF. Choose a model in GGUF format.',
    })
  }
  const version = await cursor.entry(() => cursor.u32())
  if (version === 2 || version === 3) return version
  if (version === 0x02000000 || version === 0x03000000) {
    throw new BrasaError('malformed_model', {
      message:
        'This GGUF file is big-endian. Brasa reads little-endian files: convert the model again for this machine.',
      details: { byteOrder: 'big-endian' },
    })
  }
  throw new BrasaError('malformed_model', {
    message: `This GGUF file has version ${version}; Brasa reads versions 2 and 3. Convert the model again with a current llama.cpp.`,
    details: { version },
  })
}

/** `type` numbers are gguf_metadata_value_type's. */
function readValue(
  cursor: HeaderCursor,
  type: number,
  key: string,
  budget: { arrayItems: number },
  depth: number,
): GgufValue {
  switch (type) {
    case 0:
      return cursor.u8()
    case 1:
      return cursor.i8()
    case 2:
      return cursor.u16()
    case 3:
      return cursor.i16()
    case 4:
      return cursor.u32()
    case 5:
      return cursor.i32()
    case 6:
      return cursor.f32()
    case 7:
      return cursor.u8() !== 0
    case 8:
      return cursor.string(`the metadata value "${key}"`)
    case 9:
      return readArray(cursor, key, budget, depth)
    case 10:
      return exactNumber(cursor.u64())
    case 11:
      return exactNumber(cursor.i64())
    case 12:
      return cursor.f64()
    default:
      throw malformed(`The metadata value "${key}" has the unknown type ${type}.`, { key, type })
  }
}

const minimumBytes = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8]

function readArray(
  cursor: HeaderCursor,
  key: string,
  budget: { arrayItems: number },
  depth: number,
): GgufValue {
  if (depth === maxArrayDepth)
    throw malformed(`The metadata value "${key}" nests arrays too deeply.`, { key })
  const type = cursor.u32()
  const length = cursor.size64(`The length of the metadata array "${key}"`)
  const itemBytes = minimumBytes[type]
  if (itemBytes === undefined) {
    throw malformed(`The metadata array "${key}" has items of the unknown type ${type}.`, { key, type })
  }
  cursor.expect(length, itemBytes, `The metadata array "${key}"`)
  budget.arrayItems -= length
  if (budget.arrayItems < 0) {
    throw malformed(`The metadata arrays up to "${key}" have more than ${maxArrayItems} items.`, {
      key,
      length,
    })
  }
  // Filled by push: an array that claims more than the window holds must not be allocated before its bytes are there.
  const items: GgufValue[] = []
  for (let index = 0; index < length; index++) items.push(readValue(cursor, type, key, budget, depth + 1))
  return items
}

function exactNumber(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

type ListedTensor = Omit<TensorInfo, 'file' | 'byteOffset'> & { readonly offset: number }

function readTensorInfo(cursor: HeaderCursor, index: number): ListedTensor {
  const name = cursor.string(`the name of tensor ${index}`)
  const numDimensions = cursor.u32()
  if (numDimensions < 1 || numDimensions > maxDimensions) {
    throw malformed(`Tensor "${name}" has ${numDimensions} dimensions; 1 to ${maxDimensions} are possible.`, {
      tensor: name,
    })
  }
  const shape: number[] = []
  let numValues = 1
  for (let dimension = 0; dimension < numDimensions; dimension++) {
    const length = cursor.size64(`A dimension of tensor "${name}"`)
    numValues *= length
    if (length < 1 || !Number.isSafeInteger(numValues)) {
      throw malformed(`Tensor "${name}" has impossible dimensions.`, { tensor: name })
    }
    shape.unshift(length)
  }
  const id = cursor.u32()
  const type = ggmlTypeOf(id)
  if (type === undefined) {
    throw new BrasaError('unsupported_tensor_type', {
      message: `Tensor "${name}" is encoded as ${ggmlTypeLabel(id)}. Choose a file quantised as one of ${ggmlTypeNames.join(', ')}.`,
      details: { tensor: name, type: ggmlTypeLabel(id), known: ggmlTypeNames },
    })
  }
  const { blockSize, blockBytes } = ggmlTypes[type]
  if (shape.at(-1)! % blockSize !== 0) {
    throw malformed(
      `Tensor "${name}" has rows of ${shape.at(-1)} values, not a whole number of ${type} blocks of ${blockSize}.`,
      { tensor: name, type },
    )
  }
  const byteLength = (numValues / blockSize) * blockBytes
  if (byteLength > cursor.size) {
    throw truncated(`Tensor "${name}" has ${byteLength} bytes and the file ${cursor.size}.`, { tensor: name })
  }
  return { name, type, shape, byteLength, offset: cursor.size64(`The offset of tensor "${name}"`) }
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get('general.alignment') ?? 32
  if (
    typeof alignment === 'number' &&
    alignment >= 1 &&
    alignment <= 2 ** 30 &&
    Number.isInteger(Math.log2(alignment))
  ) {
    return alignment
  }
  throw malformed('general.alignment is not a power of two.', { key: 'general.alignment' })
}

function placeTensors(
  listed: readonly ListedTensor[],
  dataOffset: number,
  alignment: number,
  size: number,
): ReadonlyMap<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>()
  let previous: { readonly name: string; readonly end: number } | undefined
  for (const { offset, ...tensor } of [...listed].sort((a, b) => a.offset - b.offset)) {
    const { name, byteLength } = tensor
    const byteOffset = dataOffset + offset
    const end = byteOffset + byteLength
    if (tensors.has(name)) throw malformed(`The file has two tensors named "${name}".`, { tensor: name })
    if (offset % alignment !== 0) {
      throw malformed(`Tensor "${name}" starts at ${offset}, not a multiple of ${alignment}.`, {
        tensor: name,
      })
    }
    if (end > size) {
      throw truncated(`Tensor "${name}" ends at byte ${end} and the file at byte ${size}.`, {
        tensor: name,
        end,
        size,
      })
    }
    if (previous !== undefined && byteOffset < previous.end) {
      throw malformed(`Tensors "${previous.name}" and "${name}" share bytes.`, { tensor: name })
    }
    tensors.set(name, { ...tensor, file: 0, byteOffset })
    previous = { name, end }
  }
  return tensors
}
