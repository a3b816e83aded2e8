import { BrasaError } from '../../errors.ts'
import { breathe } from '../breathe.ts'
import type { ActivationPrecision, Executor } from '../executor.ts'
import { createHostExecutor } from '../host-executor.ts'
import type { Remembered } from '../remembered.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { planRows } from './activations.ts'
import { type ForwardPlan, planForward } from './forward-plan.ts'
import { createHeap } from './heap.ts'
import { compileKernels, exactProbe, type FeatureSet, startKernels } from './kernels.ts'
import { createKvPages, type KvCache, keyBytesOf } from './kv-cache.ts'
import { loadMatrices } from './matrices.ts'
import { defaultPrecision } from './precision.ts'
import { createRopeTables } from './rope-tables.ts'
import { createSampler } from './sampler.ts'
import { chooseThreads } from './thread-choice.ts'
import { mostColumns, startThreads, threadsHere } from './threads.ts'
import type { ThreadTimes } from './time-threads.ts'

export interface WasmOptions {
  /** Tokens one sequence may hold; the model's own limit by default. */
  readonly contextLength?: number | undefined
  /** Rows one step may have. */
  readonly maxBatchSize?: number
  readonly reason?: string
  /** What activations are for quantised weights, `defaultPrecision` if left out; and with `f32` keys and values are floats too. */
  readonly precision?: ActivationPrecision | undefined
  /** More than one only where the page is cross-origin isolated. */
  readonly numThreads?: number | undefined
  /** Where it is kept which number is best here; without it and without `numThreads`, all cores compute. */
  readonly remembered?: Remembered<ThreadTimes> | undefined
  /** The fastest of this machine by default. */
  readonly featureSet?: FeatureSet | undefined
  readonly signal?: AbortSignal | undefined
  readonly onPhase?: (phase: 'upload' | 'compile') => void
  /** Called with the bytes of file that are repacked so far. */
  readonly onUpload?: (loadedBytes: number) => void
}

/** Prompt tokens between two looks at whether to stop. */
const chunkSize = planRows[0]

/**
 * The model on WASM SIMD: integer products of 4- and 8-bit weights in threads that share one memory.
 * @throws BrasaError `unsupported_architecture`, `malformed_model`, `out_of_memory`, `aborted`; what `weights` throws
 */
export async function createWasmExecutor(
  spec: TransformerSpec,
  weights: Weights,
  options: WasmOptions = {},
): Promise<Executor> {
  const {
    maxBatchSize = 4,
    reason = 'WebAssembly was asked for.',
    precision = defaultPrecision,
    signal,
    onPhase,
    onUpload,
  } = options
  const contextLength = Math.min(options.contextLength ?? spec.contextLength, spec.contextLength)
  refuseOddSizes(spec)
  const { numThreads, times } = await threadsFor(spec, weights, precision, options)
  const module = await compileKernels(options.featureSet)
  const heap = createHeap(numThreads > 1)
  onPhase?.('upload')
  const kernels = await startKernels(module, heap.memory, numThreads > 1)
  const pages = createKvPages(spec, contextLength, keyBytesOf(precision), heap)
  const ropeTables = createRopeTables(spec, contextLength, heap)
  // Threads start while weights arrive.
  const starting = startThreads(module, heap, numThreads, mostColumns(spec), kernels)
  const loading = loadMatrices(spec, weights, heap, { signal, onProgress: onUpload, kernels })
  const [threads, matrices] = await Promise.all([starting, loading]).catch((error) => {
    starting.then(({ dispose }) => dispose()).catch(() => {})
    throw error
  })
  const { board } = threads
  onPhase?.('compile')
  const takesBytes = module.featureSet === 'plain' || kernels.probeDot() === exactProbe
  const sampler = createSampler(heap, kernels, spec.vocabSize)
  const plans = new Map<number, ForwardPlan>()
  /** Address of the last logits. */
  let lastLogits = 0

  function planFor(numRows: number): ForwardPlan {
    const plan =
      plans.get(numRows) ??
      planForward(heap, spec, matrices, pages, {
        ...{ numRows, numThreads, takesBytes, ropeTables },
        precision,
      })
    plans.set(numRows, plan)
    return plan
  }

  async function forward(cache: KvCache, tokens: Uint32Array, firstPosition: number, wantsLogits: boolean) {
    const pageTables = pages.groups.map((_, group) => cache.tableOf(group))
    let plan: ForwardPlan | undefined
    for (let done = 0; done < tokens.length; ) {
      const numRows = rowsOfNext(tokens.length - done)
      // Not before the loop: between two pieces the sequence may be freed.
      cache.reserve(firstPosition + done + numRows)
      plan = planFor(numRows)
      plan.place({
        tokens: tokens.subarray(done, done + numRows),
        firstPosition: firstPosition + done,
        pageTables,
      })
      kernels.run(board, plan.body.address, plan.body.numOps)
      done += numRows
      if (done < tokens.length || numRows > 1) await breathe()
    }
    cache.release(firstPosition + tokens.length)
    if (!wantsLogits || plan === undefined) return undefined
    kernels.run(board, plan.head.address, plan.head.numOps)
    const { scale = 1, softCap = 0 } = spec.head
    if (scale !== 1 || softCap !== 0) kernels.scaleLogits(plan.logits, spec.vocabSize, scale, softCap)
    lastLogits = plan.logits
    return heap.floats(plan.logits, spec.vocabSize)
  }

  return createHostExecutor(
    spec,
    {
      device: {
        backend: 'wasm',
        adapter: `the CPU, ${numThreads === 1 ? 'one thread' : `${numThreads} threads`}`,
        reason,
        features: [
          'simd',
          ...(module.featureSet === 'relaxed' ? ['relaxed-simd'] : []),
          ...(numThreads > 1 ? ['threads'] : []),
        ],
        threads: numThreads,
        ...(times && { threadTimes: times }),
      },
      chunkSize,
      createCache: () => pages.createCache(),
      copyCache(cache, length) {
        const copy = pages.createCache()
        copy.copyFrom(cache, length)
        return copy
      },
      freeCache: (cache) => cache.free(),
      rollback: (cache, length) => cache.rollback(length),
      forward,
      sample: (settings, counts, position, allowed) =>
        sampler.sample(lastLogits, settings, counts, position, allowed),
      memory: () => ({
        weightBytes: matrices.byteLength,
        kvCacheBytes: pages.byteLength,
        otherBytes: Math.max(0, heap.usedBytes - matrices.byteLength - pages.byteLength),
      }),
      dispose: threads.dispose,
    },
    { contextLength, maxBatchSize },
  )
}

async function threadsFor(
  spec: TransformerSpec,
  { tensors }: Weights,
  precision: ActivationPrecision,
  { numThreads, remembered, signal }: WasmOptions,
): Promise<{ numThreads: number; times?: ThreadTimes }> {
  if (numThreads !== undefined) return { numThreads }
  const most = threadsHere()
  if (remembered === undefined || most === 1) return { numThreads: most }
  return chooseThreads(spec, tensors, { precision, remembered, signal })
}

function rowsOfNext(numRows: number): number {
  return planRows.find((size) => size <= numRows)!
}

/** @throws BrasaError `unsupported_architecture` for sizes that vectors of four do not divide */
function refuseOddSizes(spec: TransformerSpec): void {
  const sizes = spec.blocks.flatMap(({ attention, mlp }) => [attention.headDim, mlp.intermediateSize])
  const odd = [spec.hiddenSize, ...sizes].find((size) => size % 4 !== 0)
  if (odd === undefined) return
  throw new BrasaError('unsupported_architecture', {
    message: `A size of this model, ${odd}, is no multiple of 4, which the WASM backend wants. Choose another backend or model.`,
    details: { size: odd },
  })
}
