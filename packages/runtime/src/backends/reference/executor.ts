import { breathe } from '../breathe.ts'
import type { Executor } from '../executor.ts'
import { createHostExecutor } from '../host-executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createKvCache, forward, headLogits } from './forward.ts'
import { loadWeights } from './load-weights.ts'

export interface ReferenceOptions {
  /** Tokens one sequence may hold; the model's own limit by default. */
  readonly contextLength?: number | undefined
  /** Rows one step may have. */
  readonly maxBatchSize?: number
  readonly reason?: string
  readonly signal?: AbortSignal | undefined
  readonly onPhase?: (phase: 'upload' | 'compile') => void
  /** Called with the bytes of file that are decoded so far. */
  readonly onUpload?: (loadedBytes: number) => void
}

/** Prompt tokens computed together: each weight is read once for all of them. */
const chunkSize = 32

/**
 * The model in plain float64: slow, and right as far as reading can tell. Weights pass through the same planes as on a
 * GPU, so that these are tested too.
 * @throws BrasaError `aborted`, and what `weights` throws
 */
export async function createReferenceExecutor(
  spec: TransformerSpec,
  weights: Weights,
  options: ReferenceOptions = {},
): Promise<Executor> {
  const {
    maxBatchSize = 4,
    reason = 'The float64 reference was asked for.',
    signal,
    onPhase,
    onUpload,
  } = options
  const contextLength = Math.min(options.contextLength ?? spec.contextLength, spec.contextLength)
  onPhase?.('upload')
  const model = await loadWeights(spec, weights, signal, onUpload)
  onPhase?.('compile')

  return createHostExecutor(
    spec,
    {
      device: { backend: 'reference', adapter: 'float64 on the CPU', reason, features: [] },
      chunkSize,
      createCache: () => createKvCache(spec),
      copyCache: (cache) => cache.copy(),
      freeCache: () => {},
      async forward(cache, tokens, firstPosition, wantsLogits) {
        await breathe()
        const hidden = await forward(model, cache, tokens, firstPosition)
        return wantsLogits ? headLogits(model, hidden.subarray(-spec.hiddenSize), 1) : undefined
      },
      memory: (caches) => ({
        weightBytes: model.byteLength,
        kvCacheBytes: caches.reduce((sum, cache) => sum + cache.byteLength(), 0),
        otherBytes: 0,
      }),
      dispose: () => {},
    },
    { contextLength, maxBatchSize },
  )
}
