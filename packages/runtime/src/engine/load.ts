import { breathe } from '../backends/breathe.ts'
import type { DeviceCounters } from '../backends/executor.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import { throwIfAborted } from '../errors.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { readSplitGguf } from '../formats/split-gguf.ts'
import { describeModel } from '../models/architectures.ts'
import type { ReadTensor } from '../models/model-file.ts'
import type { LoadRequest, ModelInfo } from '../protocol.ts'
import { type OpenedModel, openModel } from '../storage/open-model.ts'
import { openShardStore } from '../storage/overflow-store.ts'
import type { ShardStore } from '../storage/shard-store.ts'
import { backendMemory, openBackend } from './backends.ts'
import { describeHeader } from './describe-file.ts'
import { createLoadProgress } from './load-progress.ts'
import { planMemory } from './memory-plan.ts'
import type { LoadModel } from './model.ts'
import { modelFacts } from './model-facts.ts'
import { createModelText } from './model-text.ts'
import { modelWeights } from './model-weights.ts'

/** One for the worker's life: what did not fit on the disk is in its memory. */
let openedStore: Promise<ShardStore> | undefined

/**
 * Brings a model from its reference to an executor that can answer.
 * @throws BrasaError what each step of it throws; `invalid_request` for a context longer than the model's,
 *   `out_of_memory` where it cannot fit, before any of its weights is fetched
 */
export const loadEngine: LoadModel = async (request, events) => {
  const backend = await openBackend(request.backend, request.reason)
  let compiled = false
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
        await planContext(request, header, spec)
      },
    })
    sizeBytes = opened.files.reduce((sum, file) => sum + file.size, 0)

    const header = await readSplitGguf(opened.files, events.signal)
    const weights = modelWeights(header, opened.files)
    const read: ReadTensor = (name) => weights.read(name, events.signal)
    const contextLength = await planContext(request, header, await describeModel(header, read))
    const spec = await describeModel(header, read, { contextLength })
    await breathe()
    const text = createModelText(header)
    throwIfAborted(events.signal)

    // From here on the executor owns what the backend opened.
    compiled = true
    const executor = await backend.compile(spec, weights, {
      contextLength,
      linears: request.linears,
      signal: events.signal,
      onPhase: progress.enter,
      onUpload: progress.uploaded,
    })
    progress.enter('ready')
    return {
      ...text,
      info: modelInfo(opened, header, { contextLength: executor.contextLength, sizeBytes }),
      executor,
      lookahead: backend.lookahead,
      counters: () => executor.counters?.() ?? noCounters,
    }
  } catch (error) {
    if (!compiled) backend.close()
    throw error
  }
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

/** How long a context to load with. @throws BrasaError `out_of_memory` with the figures, `invalid_request` */
async function planContext(
  { backend, contextLength: wanted, linears }: LoadRequest,
  { tensors }: GgufHeader,
  spec: TransformerSpec,
): Promise<number> {
  const estimator = await backendMemory(backend === 'ort' ? 'ort' : 'webgpu')
  const { contextLength, problem } = planMemory(spec, tensors, estimator, { contextLength: wanted, linears })
  if (problem !== undefined && backend !== 'reference') throw problem
  return contextLength
}

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
