import type { Executor, LinearPrecision } from '../executor.ts'
import { createHostExecutor } from '../host-executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { forward, type OrtSession, ortError } from './forward.ts'
import type { WrittenGraph } from './graph-builder.ts'
import { byteLengthOf, copyKvCache, createKvCache, rollbackKvCache } from './kv-cache.ts'
import { loadModel } from './load-model.ts'
import { loadOrt, type Ort, ortHeapBytes } from './load-ort.ts'
import { affordableFormat, chunkSize } from './memory-estimate.ts'
import { f32Bytes, planSegments } from './segments.ts'

export interface OrtOptions {
  /** Tokens one sequence may hold; the model's own limit by default. */
  readonly contextLength?: number | undefined
  /** Rows one step may have. */
  readonly maxBatchSize?: number
  readonly reason?: string
  /** How the linear layers compute; by default f32 where it fits into a quarter of the device's memory and 1 GiB. */
  readonly linears?: LinearPrecision['format'] | undefined
  readonly signal?: AbortSignal | undefined
  readonly onPhase?: (phase: 'upload' | 'compile') => void
  /** Called with the bytes of file that are decoded so far. */
  readonly onUpload?: (loadedBytes: number) => void
}

/**
 * The model on ONNX Runtime Web's wasm provider: graphs written from the same file's weights.
 * @throws BrasaError `unsupported_architecture`, `malformed_model`, `out_of_memory`, `aborted`; what `weights` throws
 */
export async function createOrtExecutor(
  spec: TransformerSpec,
  weights: Weights,
  options: OrtOptions = {},
): Promise<Executor> {
  const { maxBatchSize = 4, reason = 'ONNX Runtime was asked for.', signal, onPhase, onUpload } = options
  const contextLength = Math.min(options.contextLength ?? spec.contextLength, spec.contextLength)
  const linearBytes = f32Bytes(planSegments(spec, weights.tensors).flatMap(({ matrices }) => matrices))
  const format = options.linears ?? affordableFormat(linearBytes)
  const ort = await loadOrt()
  const numThreads = ort.env.wasm.numThreads ?? 1
  onPhase?.('upload')
  const model = await loadModel(spec, weights, {
    format,
    open: (graph) => openSession(ort, graph),
    close: release,
    signal,
    onProgress: onUpload,
  })
  onPhase?.('compile')
  return createHostExecutor(
    spec,
    {
      device: {
        backend: 'ort',
        adapter: `the CPU, ${numThreads === 1 ? 'one thread' : `${numThreads} threads`}`,
        reason,
        features: ['simd', ...(numThreads > 1 ? ['threads'] : [])],
        linears: model.linears,
        threads: numThreads,
      },
      chunkSize,
      createCache: () => createKvCache(spec),
      copyCache: (cache, length) => copyKvCache(cache, spec, length),
      freeCache: () => {},
      rollback: rollbackKvCache,
      forward: (cache, tokens, firstPosition, wantsLogits) =>
        forward(ort, spec, model, cache, tokens, firstPosition, wantsLogits),
      memory(caches) {
        const inHeap = model.linears.weightBytes + model.vectorBytes
        return {
          weightBytes: inHeap + model.embedding.byteLength,
          kvCacheBytes: caches.reduce((sum, cache) => sum + byteLengthOf(cache), 0),
          otherBytes: Math.max(0, ortHeapBytes() - inHeap),
        }
      },
      dispose: () => {
        for (const session of model.sessions) release(session)
      },
    },
    { contextLength, maxBatchSize },
  )
}

async function openSession(ort: Ort, { model, externalData }: WrittenGraph): Promise<OrtSession> {
  try {
    return await ort.InferenceSession.create(model, {
      executionProviders: ['wasm'],
      externalData,
      // Shapes change at every chunk and every growth of the cache: patterns of them would only pile up.
      enableMemPattern: false,
      // An arena is a session's own and never shrinks: at 4,096 positions of 24 sessions it would be gigabytes.
      enableCpuMemArena: false,
      // Weights in buffers of their own size: the arena doubles what it takes.
      extra: { session: { use_device_allocator_for_initializers: '1' } },
    })
  } catch (error) {
    throw ortError(error, 'open the model')
  }
}

/** Nobody waits for it, and there is nothing to do where it fails. */
function release(session: OrtSession): void {
  session.release().catch(() => undefined)
}
