import { throwIfAborted } from '../../errors.ts'
import type { TensorInfo } from '../../formats/gguf.ts'
import { blockFormats, dequantise } from '../../quant/blocks.ts'
import { discard } from '../../storage/heap-meter.ts'
import type { TensorPiece, Weights } from '../weights.ts'
import { planeBytes } from './device-planes.ts'
import { repackRows } from './device-repack.ts'
import type { DeviceWeights, WeightTarget } from './device-weights.ts'
import { type Gpu, writeBuffer } from './gpu.ts'

/** Bytes of file repacked at a time: what the planes of one slice add to the heap stays small beside a shard. */
const sliceBytes = 1 << 20

/** Bytes handed to the queue before waiting for the device to take them. */
const bytesInFlight = 32 << 20

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined
  /** Called with the bytes of file that are uploaded so far. */
  readonly onProgress?: ((loadedBytes: number) => void) | undefined
}

/**
 * Repacks every tensor as it streams by and writes its planes to the device.
 * @throws BrasaError `aborted`, and what `weights` throws
 */
export async function uploadWeights(
  gpu: Gpu,
  destination: DeviceWeights,
  weights: Weights,
  { signal, onProgress }: UploadOptions = {},
): Promise<void> {
  const rows = wholeRows()
  let loadedBytes = 0
  let queuedBytes = 0
  for await (const piece of weights.stream(signal)) {
    throwIfAborted(signal)
    // Tensors that no part of the description names, such as rope_freqs, have no target.
    const targets = destination.targets.get(piece.tensor.name) ?? []
    for (const slice of rows(piece).flatMap((part) => [...slices(part)])) {
      for (const target of targets) uploadSlice(gpu, target, slice)
    }
    loadedBytes += piece.bytes.byteLength
    queuedBytes += piece.bytes.byteLength
    if (queuedBytes >= bytesInFlight) {
      await gpu.device.queue.onSubmittedWorkDone()
      queuedBytes = 0
    }
    onProgress?.(loadedBytes)
  }
  await gpu.device.queue.onSubmittedWorkDone()
}

/** Bytes of a row of a matrix, which begins at a word of each plane; of a block of a vector, which may be cut anywhere. */
function rowBytesOf({ type, shape }: TensorInfo): number {
  const { blockBytes, blockSize } = blockFormats[type]
  return shape.length > 1 ? (shape.at(-1)! / blockSize) * blockBytes : blockBytes
}

/** Keeps what of a piece is the beginning of a row until the next piece of the tensor brings the rest. */
function wholeRows(): (piece: TensorPiece) => TensorPiece[] {
  let begun:
    | { readonly tensor: TensorInfo; readonly byteOffset: number; readonly bytes: Uint8Array }
    | undefined
  return ({ tensor, byteOffset, bytes }) => {
    const rowBytes = rowBytesOf(tensor)
    const parts: TensorPiece[] = []
    let start = 0
    if (begun !== undefined) {
      start = Math.min(rowBytes - begun.bytes.byteLength, bytes.byteLength)
      begun = { ...begun, bytes: joined(begun.bytes, bytes.subarray(0, start)) }
      if (begun.bytes.byteLength < rowBytes) return []
      parts.push(begun)
      begun = undefined
    }
    const end = start + Math.floor((bytes.byteLength - start) / rowBytes) * rowBytes
    if (end > start) parts.push({ tensor, byteOffset: byteOffset + start, bytes: bytes.subarray(start, end) })
    // The piece's bytes are the stream's own again once it gives the next one.
    if (end < bytes.byteLength) begun = { tensor, byteOffset: byteOffset + end, bytes: bytes.slice(end) }
    return parts
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.byteLength + second.byteLength)
  both.set(first)
  both.set(second, first.byteLength)
  return both
}

function* slices(piece: TensorPiece): Generator<TensorPiece> {
  const rowBytes = rowBytesOf(piece.tensor)
  const step = Math.max(1, Math.floor(sliceBytes / rowBytes)) * rowBytes
  for (let start = 0; start < piece.bytes.byteLength; start += step) {
    yield { ...piece, byteOffset: piece.byteOffset + start, bytes: piece.bytes.subarray(start, start + step) }
  }
}

/** Writes what of a slice, which is whole rows, goes to the target. */
function uploadSlice(gpu: Gpu, target: WeightTarget, { tensor, byteOffset, bytes }: TensorPiece): void {
  const { blockBytes, blockSize } = blockFormats[tensor.type]
  const sliceFirst = (byteOffset / blockBytes) * blockSize
  const sliceEnd = sliceFirst + (bytes.byteLength / blockBytes) * blockSize
  const first = Math.max(sliceFirst, target.first)
  const count = Math.min(sliceEnd, target.first + target.count) - first
  if (count <= 0) return
  const bytesOf = (values: number) => (values / blockSize) * blockBytes
  const part = bytes.subarray(bytesOf(first - sliceFirst), bytesOf(first - sliceFirst + count))
  const firstValue = target.offset + first - target.first
  if (target.kind === 'vector') {
    const values = new Float32Array(count)
    dequantise(tensor.type, part, values)
    writeBuffer(gpu, target.buffer, firstValue * 4, values)
    return
  }
  const { matrix } = target
  const { layout, numColumns } = matrix
  const planes = repackRows(tensor.type, part, count / numColumns, layout)
  const offset = planeBytes(layout, firstValue / numColumns, numColumns)
  writeBuffer(gpu, matrix.quants, offset.quants, planes.quants)
  if (planes.scales.length > 0) writeBuffer(gpu, matrix.scales, offset.scales, planes.scales)
  // The queue has its copy.
  discard(planes.quants)
  discard(planes.scales)
}
