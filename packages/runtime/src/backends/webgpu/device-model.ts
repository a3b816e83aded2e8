import { throwIfAborted } from '../../errors.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { chunkTokens, createActivations } from './activations.ts'
import { createBatchBuffers } from './batch.ts'
import type { DecodeVariant } from './decode-variant.ts'
import type { DecoderBuffers } from './decoder-buffers.ts'
import { type DecoderPlan, prepareDecoder } from './decoder-plan.ts'
import { widthFor } from './device-planes.ts'
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
  readonly variant?: DecodeVariant | undefined
  readonly signal?: AbortSignal | undefined
  readonly onPhase?: ((phase: 'upload' | 'compile') => void) | undefined
  /** Called with the bytes of file that are uploaded so far. */
  readonly onUpload?: ((loadedBytes: number) => void) | undefined
}

/** @throws BrasaError `out_of_memory`, `aborted`, and what `weights` throws */
export async function createDeviceModel(
  gpu: Gpu,
  spec: TransformerSpec,
  weights: Weights,
  { contextLength, maxBatchSize, variant = 'base', signal, onPhase, onUpload }: DeviceModelOptions,
): Promise<DeviceModel> {
  onPhase?.('upload')
  const deviceWeights = await allocateWeights(gpu, spec, weights, widthFor(gpu, variant))
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
  const preparing = prepareDecoder(gpu, spec, buffers, variant)
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
      plan = await prepareDecoder(gpu, spec, buffers, variant)
      // Commands that were submitted keep what they bind until they are done.
      stale.destroy()
    },
  }
}
