import type { TensorInfo } from '../../formats/gguf.ts'
import type { ActivationPrecision } from '../executor.ts'
import { sampleLayers } from '../layer-sample.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { createWasmExecutor } from './executor.ts'

/** The first steps are warm-up: the browser compiles kernels better once they have run. */
const budgetMs = 100

/**
 * Milliseconds that this machine takes for one layer of a decode step: the best of what fits into a tenth of a second.
 * @throws BrasaError what `createWasmExecutor` throws
 */
export async function timeLayer(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  options: { readonly precision?: ActivationPrecision | undefined; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const sample = sampleLayers(spec, tensors)
  const executor = await createWasmExecutor(sample.spec, sample.weights, { ...options, maxBatchSize: 1 })
  try {
    const sequence = executor.createSequence()
    const startedAt = performance.now()
    let best = Number.POSITIVE_INFINITY
    while (performance.now() - startedAt < budgetMs && sequence.length < executor.contextLength) {
      const stepAt = performance.now()
      await executor.step([{ sequence, token: 0 }])
      best = Math.min(best, performance.now() - stepAt)
    }
    return best / sample.spec.blocks.length
  } finally {
    executor.dispose()
  }
}
