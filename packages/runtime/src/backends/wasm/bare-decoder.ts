import type { ActivationPrecision } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { type ForwardPlan, planForward } from './forward-plan.ts'
import { createHeap, type Heap } from './heap.ts'
import { compileKernels, exactProbe, type FeatureSet, type Kernels, startKernels } from './kernels.ts'
import { createKvPages, keyBytesOf } from './kv-cache.ts'
import { loadMatrices } from './matrices.ts'
import { createRopeTables } from './rope-tables.ts'
import { mostColumns, startThreads } from './threads.ts'

export interface BareDecoderOptions {
  readonly precision: ActivationPrecision
  readonly contextLength: number
  /** Whether there may be more than one thread. */
  readonly isShared: boolean
  readonly featureSet?: FeatureSet | undefined
  readonly signal?: AbortSignal | undefined
}

/** Decode steps for their time alone: one sequence whose keys and values are zeros, no sampling, nothing in turns. */
export interface BareDecoder {
  readonly heap: Heap
  readonly kernels: Kernels
  /** A step's plan for so many threads, which it starts: more than before, never fewer. */
  planFor(numThreads: number): Promise<ForwardPlan>
  /** Where the token stands from now on. */
  place(plan: ForwardPlan, position: number): void
  /** Ops at `address`. */
  run(address: number, numOps: number): void
  dispose(): void
}

/** @throws BrasaError what loading and starting throw */
export async function createBareDecoder(
  spec: TransformerSpec,
  weights: Weights,
  { precision, contextLength, isShared, featureSet, signal }: BareDecoderOptions,
): Promise<BareDecoder> {
  const module = await compileKernels(featureSet)
  const heap = createHeap(isShared)
  const kernels = await startKernels(module, heap.memory, isShared)
  const pages = createKvPages(spec, contextLength, keyBytesOf(precision), heap)
  const ropeTables = createRopeTables(spec, contextLength, heap)
  const matrices = await loadMatrices(spec, weights, heap, { kernels, signal })
  const cache = pages.createCache()
  cache.reserve(contextLength)
  const takesBytes = module.featureSet === 'plain' || kernels.probeDot() === exactProbe
  const threads = await startThreads(module, heap, 1, mostColumns(spec), kernels)
  return {
    heap,
    kernels,
    async planFor(numThreads) {
      await threads.grow(numThreads)
      return planForward(heap, spec, matrices, pages, {
        ...{ numRows: 1, numThreads, takesBytes, ropeTables, precision },
      })
    },
    place(plan, position) {
      plan.place({
        tokens: Uint32Array.of(0),
        firstPosition: position,
        pageTables: pages.groups.map((_, group) => cache.tableOf(group)),
      })
    },
    run: (address, numOps) => kernels.run(threads.board, address, numOps),
    dispose: threads.dispose,
  }
}
