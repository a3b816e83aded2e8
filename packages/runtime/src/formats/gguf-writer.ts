import { type GgmlType, ggmlTypes } from './ggml-types.ts'

/** What a GGUF file is made of; JavaScript numbers are written as u32 where they are unsigned integers, else as f32. */
export interface GgufContents {
  readonly version?: number
  readonly alignment?: number
  readonly metadata: Readonly<Record<string, WritableValue>>
  readonly tensors: readonly WritableTensor[]
}

export type WritableValue = number | bigint | boolean | string | readonly WritableValue[]

export interface WritableTensor {
  readonly name: string
  readonly type: GgmlType
  /** Row-major: (rows, columns). */
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A GGUF file in memory. For small models made in code, such as those of tests; nothing is checked. */
export function writeGguf({
  version = 3,
  alignment = 32,
  metadata,
  tensors,
}: GgufContents): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  const push = (bytes: Uint8Array) => {
    chunks.push(bytes)
    length += bytes.length
  }
  const scalar = (size: number, write: (view: DataView) => void) => {
    const bytes = new Uint8Array(size)
    write(new DataView(bytes.buffer))
    push(bytes)
  }
  const u32 = (value: number) => scalar(4, (view) => view.setUint32(0, value, true))
  const u64 = (value: number | bigint) => scalar(8, (view) => view.setBigUint64(0, BigInt(value), true))
  const string = (value: string) => {
    const bytes = new TextEncoder().encode(value)
    u64(bytes.length)
    push(bytes)
  }
  const payload = (value: WritableValue, type: number): void => {
    if (typeof value === 'string') string(value)
    else if (typeof value === 'boolean') push(Uint8Array.of(value ? 1 : 0))
    else if (typeof value === 'bigint') u64(value)
    else if (typeof value === 'number') {
      scalar(4, (view) => (type === 4 ? view.setUint32(0, value, true) : view.setFloat32(0, value, true)))
    } else {
      const itemType = value.every((item) => typeOf(item) === 4)
        ? 4
        : typeOf(value.find((item) => typeOf(item) !== 4)!)
      u32(itemType)
      u64(value.length)
      for (const item of value) payload(item, itemType)
    }
  }
  const pad = () => push(new Uint8Array((alignment - (length % alignment)) % alignment))

  push(new TextEncoder().encode('GGUF'))
  u32(version)
  u64(tensors.length)
  const entries = Object.entries(
    alignment === 32 ? metadata : { ...metadata, 'general.alignment': alignment },
  )
  u64(entries.length)
  for (const [key, value] of entries) {
    string(key)
    u32(typeOf(value))
    payload(value, typeOf(value))
  }
  let offset = 0
  for (const { name, type, shape, bytes } of tensors) {
    string(name)
    u32(shape.length)
    for (const dimension of [...shape].reverse()) u64(dimension)
    u32(ggmlTypes[type].id)
    u64(offset)
    offset = Math.ceil((offset + bytes.length) / alignment) * alignment
  }
  pad()
  for (const { bytes } of tensors) {
    push(bytes)
    pad()
  }

  const file = new Uint8Array(length)
  let end = 0
  for (const chunk of chunks) {
    file.set(chunk, end)
    end += chunk.length
  }
  return file
}

/** gguf_metadata_value_type: u32, f32, bool, string, array or u64. */
function typeOf(value: WritableValue): number {
  if (typeof value === 'string') return 8
  if (typeof value === 'boolean') return 7
  if (typeof value === 'bigint') return 10
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value < 2 ** 32 ? 4 : 6
  return 9
}
