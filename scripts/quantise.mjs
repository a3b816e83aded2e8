// @ts-check
import { existsSync, openAsBlob } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { formatBytes, runAsScript, ScriptError } from './command-line.mjs'
import { progressBar } from './progress.mjs'
import { importRuntime } from './typescript.mjs'

const usage = `Usage: npm run quantise -- IN.gguf OUT.gguf TYPE
Writes the matrices of a model in another encoding: Q8_0, Q4_0, Q4_1, Q4_K or Q6_K. The embedding and the head have eight bits
at least, norms and biases stay as they are. Where rows are no multiple of 256, Q4_K becomes Q4_1 and Q6_K becomes Q8_0.
What IN.gguf has lost already does not come back: start from F16, BF16 or F32 where there is one.`

/**
 * @typedef {import('../packages/runtime/src/formats/gguf.ts').TensorInfo} TensorInfo
 * @typedef {import('../packages/runtime/src/formats/ggml-types.ts').GgmlType} GgmlType
 * @typedef {import('../packages/runtime/src/quant/encode.ts').EncodableType} EncodableType
 * @typedef {TensorInfo & { target: GgmlType, targetBytes: number }} PlannedTensor
 */

/** `general.file_type` of a file that is mostly of a type: llama_ftype in llama.h. */
const fileTypes = { Q4_0: 2, Q4_1: 3, Q8_0: 7, Q4_K: 14, Q6_K: 18 }

/** What takes the place of a type whose blocks do not fit a row. */
const fallbacks = /** @type {const} */ ({ Q4_K: 'Q4_1', Q6_K: 'Q8_0' })

/** Values that are decoded and encoded at a time: a multiple of every block. */
const pieceValues = 1024 * 1024

/**
 * Tensor by tensor, so that memory holds a piece of one. OUT appears whole or not at all.
 * @param {string} input
 * @param {string} output
 * @param {EncodableType} type
 * @param {(doneBytes: number, totalBytes: number) => void} [onProgress] of the input's tensors
 */
export async function quantiseFile(input, output, type, onProgress = () => {}) {
  /** @type {typeof import('../packages/runtime/src/formats/gguf.ts')} */
  const { readGguf } = await importRuntime('formats/gguf.ts')
  /** @type {typeof import('../packages/runtime/src/formats/ggml-types.ts')} */
  const { ggmlTypes } = await importRuntime('formats/ggml-types.ts')
  /** @type {typeof import('../packages/runtime/src/quant/blocks.ts')} */
  const { dequantise } = await importRuntime('quant/blocks.ts')
  /** @type {typeof import('../packages/runtime/src/quant/encode.ts')} */
  const { quantise } = await importRuntime('quant/encode.ts')

  const blob = await openAsBlob(input)
  const read = async (/** @type {number} */ offset, /** @type {number} */ length) =>
    new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
  const { metadata, tensors, dataOffset } = await readGguf({ size: blob.size, read })
  if (Number(metadata.get('split.count') ?? 1) > 1) {
    throw new ScriptError(`${input} is one part of several: join them first.`)
  }
  const alignment = Number(metadata.get('general.alignment') ?? 32)
  const fitting = (/** @type {TensorInfo} */ tensor, /** @type {EncodableType} */ wanted) => {
    const columns = tensor.shape.at(-1) ?? 0
    const fits = (/** @type {GgmlType} */ name) => columns % ggmlTypes[name].blockSize === 0
    if (fits(wanted)) return wanted
    const other = wanted in fallbacks ? fallbacks[/** @type {'Q4_K' | 'Q6_K'} */ (wanted)] : undefined
    return other !== undefined && fits(other) ? other : tensor.type
  }
  const planned = [...tensors.values()].map((tensor) => {
    const target = fitting(tensor, wantedType(tensor, type))
    const kept = tensor.shape.length !== 2 ? tensor.type : target
    const numValues = tensor.shape.reduce((product, length) => product * length, 1)
    const { blockSize, blockBytes } = ggmlTypes[kept]
    return { ...tensor, target: kept, targetBytes: (numValues / blockSize) * blockBytes }
  })

  const partial = `${output}.partial-${process.pid}`
  const file = await open(partial, 'wx')
  try {
    const header = rewriteHeader(
      await read(0, dataOffset),
      planned,
      alignment,
      fileTypes[type],
      (name) => ggmlTypes[name].id,
    )
    await file.write(header)
    let written = header.length
    let done = 0
    const totalBytes = planned.reduce((sum, { byteLength }) => sum + byteLength, 0)
    for (const { type: source, target, byteOffset, byteLength } of planned) {
      const { blockSize, blockBytes } = ggmlTypes[source]
      const pieceBytes = (pieceValues / blockSize) * blockBytes
      for (let at = 0; at < byteLength; at += pieceBytes) {
        let bytes = await read(byteOffset + at, Math.min(pieceBytes, byteLength - at))
        done += bytes.length
        if (target !== source) {
          const values = new Float32Array((bytes.length / blockBytes) * blockSize)
          dequantise(source, bytes, values)
          bytes = quantise(/** @type {EncodableType} */ (target), values)
        }
        await file.write(bytes)
        written += bytes.length
        onProgress(done, totalBytes)
      }
      const padding = new Uint8Array(paddingTo(written, alignment))
      if (padding.length > 0) await file.write(padding)
      written += padding.length
    }
    await file.close()
    await rename(partial, output)
    return { bytes: written, types: countTypes(planned) }
  } finally {
    await file.close().catch(() => {})
    await rm(partial, { force: true })
  }
}

/**
 * The head decides every token and the embedding is a small part of the work: both keep eight bits, as llama.cpp's mixes
 * keep six or eight.
 * @param {TensorInfo} tensor
 * @param {EncodableType} type
 * @returns {EncodableType}
 */
function wantedType({ name }, type) {
  return /^(token_embd|output)\.weight$/.test(name) && type !== 'Q6_K' ? 'Q8_0' : type
}

/**
 * The same version and metadata, word for word but for the file's type, and the new list of tensors.
 * @param {Uint8Array} header up to the first tensor
 * @param {readonly PlannedTensor[]} tensors
 * @param {number} alignment
 * @param {number} fileType
 * @param {(type: GgmlType) => number} idOf
 */
function rewriteHeader(header, tensors, alignment, fileType, idOf) {
  const { end, fileTypeAt } = walkMetadata(header)
  const list = tensors.reduce(
    (sum, { name, shape }) => sum + 8 + Buffer.byteLength(name) + 4 + 8 * shape.length + 12,
    0,
  )
  const length = end + list + paddingTo(end + list, alignment)
  const bytes = Buffer.alloc(length)
  bytes.set(header.subarray(0, end))
  if (fileTypeAt !== undefined) bytes.writeUInt32LE(fileType, fileTypeAt)
  let at = end
  let offset = 0
  for (const { name, shape, target, targetBytes } of tensors) {
    const text = Buffer.from(name)
    at = bytes.writeBigUInt64LE(BigInt(text.length), at)
    at += text.copy(bytes, at)
    at = bytes.writeUInt32LE(shape.length, at)
    for (const dimension of [...shape].reverse()) at = bytes.writeBigUInt64LE(BigInt(dimension), at)
    at = bytes.writeUInt32LE(idOf(target), at)
    at = bytes.writeBigUInt64LE(BigInt(offset), at)
    offset += targetBytes + paddingTo(targetBytes, alignment)
  }
  return bytes
}

const paddingTo = (/** @type {number} */ length, /** @type {number} */ alignment) =>
  (alignment - (length % alignment)) % alignment

/** Bytes of gguf_metadata_value_type's scalars; 8 is a string and 9 an array. */
const scalarBytes = [1, 1, 2, 2, 4, 4, 4, 1, -1, -1, 8, 8, 8]

/**
 * Where the metadata of a header that `readGguf` has checked ends.
 * @param {Uint8Array} header
 */
function walkMetadata(header) {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const u64 = (/** @type {number} */ at) => Number(view.getBigUint64(at, true))
  /** @type {(type: number, at: number) => number} */
  const skip = (type, at) => {
    if (type === 8) return at + 8 + u64(at)
    if (type !== 9) return at + (scalarBytes[type] ?? 0)
    const itemType = view.getUint32(at, true)
    const numItems = u64(at + 4)
    at += 12
    for (let item = 0; item < numItems; item++) at = skip(itemType, at)
    return at
  }
  let at = 24
  /** @type {number | undefined} */
  let fileTypeAt
  const numKeys = u64(16)
  for (let index = 0; index < numKeys; index++) {
    const length = u64(at)
    const key = Buffer.from(header.subarray(at + 8, at + 8 + length)).toString()
    const type = view.getUint32(at + 8 + length, true)
    at += 12 + length
    if (key === 'general.file_type' && type === 4) fileTypeAt = at
    at = skip(type, at)
  }
  return { end: at, fileTypeAt }
}

/** @param {readonly PlannedTensor[]} tensors */
function countTypes(tensors) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const { target } of tensors) counts.set(target, (counts.get(target) ?? 0) + 1)
  return counts
}

await runAsScript(import.meta.url, async ([input, output, type, ...rest]) => {
  if (input === undefined || output === undefined || type === undefined || rest.length > 0) {
    throw new ScriptError(usage)
  }
  if (!Object.hasOwn(fileTypes, type)) {
    throw new ScriptError(`"${type}" is none of ${Object.keys(fileTypes).join(', ')}.`)
  }
  if (!existsSync(input)) throw new ScriptError(`There is no ${input}.`)
  if (existsSync(output)) throw new ScriptError(`${output} exists already; remove it first.`)
  /** @type {ReturnType<typeof progressBar> | undefined} */
  let bar
  let totalBytes = 0
  const { bytes, types } = await quantiseFile(
    input,
    output,
    /** @type {EncodableType} */ (type),
    (done, total) => {
      totalBytes = total
      bar ??= progressBar(total)
      bar.update(done)
    },
  )
  bar?.finish(totalBytes)
  const counts = [...types].map(([name, count]) => `${count} ${name}`).join(', ')
  console.log(`${output}: ${formatBytes(bytes)}, tensors: ${counts}`)
})
