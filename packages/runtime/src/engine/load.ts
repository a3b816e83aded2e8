import { breathe } from '../backends/breathe.ts'
import type { DeviceCounters, Executor, LayerTimes } from '../backends/executor.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import { throwIfAborted } from '../errors.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { readSplitGguf } from '../formats/split-gguf.ts'
import { describeModel } from '../models/architectures.ts'
import type { ReadTensor } from '../models/model-file.ts'
import type { LoadRequest, ModelInfo } from '../protocol.ts'
import { holdInUse } from '../storage/model-lock.ts'
import { type OpenedModel, openModel } from '../storage/open-model.ts'
import { openShardStore } from '../storage/overflow-store.ts'
import type { ShardStore } from '../storage/shard-store.ts'
import { type Candidate, chooseBackend } from './backend-choice.ts'
import { backendMemory, machine, openBackend } from './backends.ts'
import { describeHeader } from './describe-file.ts'
import { createLoadProgress } from './load-progress.ts'
import { storedTimes } from './measured-times.ts'
import { type BackendMemory, planMemory } from './memory-plan.ts'
import type { LoadModel } from './model.ts'
import { modelFacts } from './model-facts.ts'
import { createModelText } from './model-text.ts'
import { modelWeights } from './model-weights.ts'

/** One for the worker's life: what did not fit on the disk is in its memory. */
let openedStore: Promise<ShardStore> | undefined
/** Of the model that this worker loaded last. */
let letGo = () => {}

/**
 * Brings a model from its reference to an executor that can answer.
 * @throws BrasaError what each step of it throws; `invalid_request` for a context longer than the model's,
 *   `out_of_memory` where it cannot fit, before any of its weights is fetched
 */
export const loadEngine: LoadModel = async (request, events) => {
  const { backend: choice, reason, precision } = request
  // What `auto` chooses depends on the model's shapes.
  let backend = choice === 'auto' ? undefined : await openBackend(choice, reason)
  const adapterName = choice === 'auto' ? machine.adapterName() : undefined
  adapterName?.catch(() => {})
  let compiled = false
  let layerTimes: LayerTimes | undefined
  try {
    openedStore ??= openShardStore()
    let sizeBytes = 0
    const progress = createLoadProgress(() => sizeBytes, events.onProgress)
    const opened = await openModel(request.model, {
      store: await openedStore,
      catalogueUrl: request.catalogueUrl,
      baseUrl: request.baseUrl,
      signal: events.signal,
      onWarning: events.onWarning,
      onProgress: progress.fromStorage,
      async beforeDownload(files) {
        const { header, spec } = await describeHeader(files, events.signal)
        await planLoad(request, header, spec)
      },
    })
    letGo()
    letGo = holdInUse(opened.id)
    sizeBytes = opened.files.reduce((sum, file) => sum + file.size, 0)

    const header = await readSplitGguf(opened.files, events.signal)
    const weights = modelWeights(header, opened.files)
    const read: ReadTensor = (name) => weights.read(name, events.signal)
    const { contextLength, fitting } = await planLoad(request, header, await describeModel(header, read))
    const spec = await describeModel(header, read, { contextLength })
    await breathe()
    const text = createModelText(header)
    throwIfAborted(events.signal)
    if (backend === undefined) {
      const model = { spec, precision, threads: request.threads, tensors: weights.tensors }
      const here = { ...machine, adapterName: async () => adapterName! }
      const chosen = await chooseBackend(model, fitting, here, storedTimes(), events.signal)
      backend = await openBackend(chosen.backend, chosen.reason)
      layerTimes = chosen.layerTimes
    }

    // From here on the executor owns what the backend opened.
    compiled = true
    const { lookahead } = backend
    const executor = await backend.compile(spec, weights, {
      contextLength,
      linears: request.linears,
      precision,
      threads: request.threads,
      variant: request.variant,
      signal: events.signal,
      onPhase: progress.enter,
      onUpload: progress.uploaded,
    })
    progress.enter('ready')
    return {
      ...text,
      info: modelInfo(opened, header, { contextLength: executor.contextLength, sizeBytes }),
      executor: withLayerTimes(executor, layerTimes),
      lookahead,
      counters: () => executor.counters?.() ?? noCounters,
    }
  } catch (error) {
    if (!compiled) backend?.close()
    throw error
  }
}

/** The executor knows its device and not what it was chosen from. */
function withLayerTimes(executor: Executor, layerTimes: LayerTimes | undefined): Executor {
  if (layerTimes === undefined) return executor
  return Object.create(executor, { device: { value: { ...executor.device, layerTimes } } })
}

/** Of a backend without a device. */
const noCounters: DeviceCounters = {
  dispatches: 0,
  submits: 0,
  buffersCreated: 0,
  bindGroupsCreated: 0,
  queueWrites: 0,
  bytesRead: 0,
}

/**
 * How long a context to load with, and which of the backends that `auto` chooses from hold the model.
 * @throws BrasaError `out_of_memory` with the figures, `invalid_request`
 */
async function planLoad(
  { backend, contextLength: wanted, linears, precision }: LoadRequest,
  { tensors }: GgufHeader,
  spec: TransformerSpec,
): Promise<{ contextLength: number; fitting: readonly Candidate[] }> {
  const candidates = backend === 'auto' ? (['webgpu', 'wasm'] as const) : [memoryOf(backend)]
  const plans = await Promise.all(
    candidates.map(async (name) => {
      const estimator = await backendMemory(name, precision)
      return { name, ...planMemory(spec, tensors, estimator, { contextLength: wanted, linears }) }
    }),
  )
  const fitting = plans.filter(({ problem }) => problem === undefined)
  const problem = plans.at(-1)?.problem
  if (fitting.length === 0 && problem !== undefined && backend !== 'reference') throw problem
  const lengths = (fitting.length > 0 ? fitting : plans).map(({ contextLength }) => contextLength)
  return {
    contextLength: Math.min(...lengths),
    fitting: fitting.flatMap(({ name }) => (name === 'ort' ? [] : [name])),
  }
}

/** The reference takes about what WebAssembly does, and is never refused. */
const memoryOf = (backend: Exclude<LoadRequest['backend'], 'auto'>): BackendMemory['backend'] =>
  backend === 'reference' ? 'wasm' : backend

function modelInfo(
  { id, entry }: OpenedModel,
  header: GgufHeader,
  sizes: Pick<ModelInfo, 'contextLength' | 'sizeBytes'>,
): ModelInfo {
  const { name, architecture, quantisation, licence: ownLicence } = modelFacts(header)
  const licence = entry?.licence ?? ownLicence
  return {
    id,
    name: entry?.name ?? name ?? id,
    ...{ architecture, quantisation },
    ...sizes,
    ...(licence === undefined ? {} : { licence }),
  }
}
