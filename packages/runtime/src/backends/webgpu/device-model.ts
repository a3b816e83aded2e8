import { throwIfAborted } from '../../errors.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createActivations } from './activations.ts'
import { createBatchBuffers } from './batch.ts'
import { type DecoderBuffers, type DecoderPlan, prepareDecoder } from './decoder-plan.ts'
import { allocateWeights } from './device-weights.ts'
import type { Gpu } from './gpu.ts'
import { createKvCache } from './kv-cache.ts'
import { createRopeTables } from './rope-tables.ts'
import { createSamplingState } from './sampling-state.ts'
import { uploadWeights } from './weight-upload.ts'

/** A model on the device: its weights, its working buffers, and the dispatches that bind them. */
export interface DeviceModel {
  readonly spec: TransformerSpec
  readonly buffers: DecoderBuffers
  readonly contextLength: number
  readonly maxBatchSize: number
  /** Prompt tokens computed at once. */
  readonly chunkSize: number
  /** The dispatches as of the last `reserve`. */
  plan(): DecoderPlan
  /**
   * Makes the positions from `length` up to `newLength` of a slot writable, and binds the cache anew where it had to grow.
   * @throws BrasaError `out_of_memory`
   */
  reserve(slot: number, length: number, newLength: number): Promise<void>
}

export interface DeviceModelOptions {
  readonly contextLength: number
  readonly maxBatchSize: number
  readonly signal?: AbortSignal | undefined
  readonly onPhase?: ((phase: 'upload' | 'compile') => void) | undefined
  /** Called with the bytes of file that are uploaded so far. */
  readonly onUpload?: ((loadedBytes: number) => void) | undefined
}

/** Prompt tokens a chunk: a multiple of the matmul's token tile; small where a layer of a chunk takes long. */
export const chunkTokens = (isSoftware: boolean) => (isSoftware ? 32 : 128)

/** @throws BrasaError `out_of_memory`, `aborted`, and what `weights` throws */
export async function createDeviceModel(
  gpu: Gpu,
  spec: TransformerSpec,
  weights: Weights,
  { contextLength, maxBatchSize, signal, onPhase, onUpload }: DeviceModelOptions,
): Promise<DeviceModel> {
  onPhase?.('upload')
  const deviceWeights = await allocateWeights(gpu, spec, weights)
  const chunkSize = Math.min(chunkTokens(gpu.isSoftware), contextLength)
  const buffers: DecoderBuffers = {
    weights: deviceWeights,
    activations: createActivations(gpu, spec, Math.max(chunkSize, maxBatchSize), maxBatchSize),
    cache: createKvCache(gpu, spec, { contextLength, numSlots: maxBatchSize, chunkSize }),
    ropeTables: createRopeTables(gpu, spec, contextLength),
    sampling: createSamplingState(gpu, spec.vocabSize, maxBatchSize),
    decodeBatch: createBatchBuffers(gpu, 'decode', maxBatchSize),
    prefillBatch: createBatchBuffers(gpu, 'prefill', chunkSize),
  }
  // The device compiles while the shards are read, hashed and repacked.
  const preparing = prepareDecoder(gpu, spec, buffers)
  preparing.catch(() => {})
  await uploadWeights(gpu, deviceWeights, weights, { signal, onProgress: onUpload })
  onPhase?.('compile')
  let plan = await preparing
  throwIfAborted(signal)

  return {
    spec,
    buffers,
    contextLength,
    maxBatchSize,
    chunkSize,
    plan: () => plan,
    async reserve(slot, length, newLength) {
      await buffers.cache.reserve(slot, length, newLength)
      if (plan.cacheGeneration === buffers.cache.generation) return
      const stale = plan
      plan = await prepareDecoder(gpu, spec, buffers)
      // Commands that were submitted keep what they bind until they are done.
      stale.destroy()
    },
  }
}
