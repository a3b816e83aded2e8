import type { Activations } from './activations.ts'
import type { BatchBuffers } from './batch.ts'
import type { DeviceWeights } from './device-weights.ts'
import type { KvCache } from './kv-cache.ts'
import type { RopeTables } from './rope-tables.ts'
import type { SamplingState } from './sampling-state.ts'

/** Everything the dispatches of a model bind. */
export interface DecoderBuffers {
  readonly weights: DeviceWeights
  readonly activations: Activations
  readonly cache: KvCache
  readonly ropeTables: RopeTables
  readonly sampling: SamplingState
  readonly decodeBatch: BatchBuffers
  readonly prefillBatch: BatchBuffers
}

/** What a decode step binds up to its head. */
export type StepBuffers = Omit<DecoderBuffers, 'sampling' | 'prefillBatch'>
