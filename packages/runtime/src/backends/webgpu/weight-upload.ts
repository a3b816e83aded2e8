import { throwIfAborted } from '../../errors.ts'
import { blockFormats, dequantise, repack } from '../../quant/blocks.ts'
import { convertPlanes } from '../../quant/convert.ts'
import { discard } from '../../storage/heap-meter.ts'
import type { TensorPiece, Weights } from '../weights.ts'
import type { DeviceWeights, WeightTarget } from './device-weights.ts'
import { type Gpu, writeBuffer } from './gpu.ts'
import { planeBytes } from './weight-plan.ts'

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
  let loadedBytes = 0
  let queuedBytes = 0
  for await (const piece of weights.stream(signal)) {
    throwIfAborted(signal)
    // Tensors that no part of the description names, such as rope_freqs, have no target.
    const targets = destination.targets.get(piece.tensor.name) ?? []
    for (const slice of slices(piece)) {
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

function* slices(piece: TensorPiece): Generator<TensorPiece> {
  const { blockBytes } = blockFormats[piece.tensor.type]
  // An even number of blocks, so that f16 slices end on whole words.
  const step = Math.max(2, Math.floor(sliceBytes / blockBytes / 2) * 2) * blockBytes
  for (let start = 0; start < piece.bytes.byteLength; start += step) {
    yield { ...piece, byteOffset: piece.byteOffset + start, bytes: piece.bytes.subarray(start, start + step) }
  }
}

/** Writes what of a slice goes to the target. Rows are whole blocks, and so is every part of a tensor that a target takes. */
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
  const planes = convertPlanes(repack(tensor.type, part), matrix.layout, count)
  const offset = planeBytes(matrix.layout, firstValue)
  writeBuffer(gpu, matrix.quants, offset.quants, planes.quants)
  if (planes.scales.length > 0) writeBuffer(gpu, matrix.scales, offset.scales, planes.scales)
  // The queue has its copy.
  discard(planes.quants)
  discard(planes.scales)
}
