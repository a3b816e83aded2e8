import type { DeviceCounters } from '../backends/executor.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError, throwIfAborted } from '../errors.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { readSplitGguf } from '../formats/split-gguf.ts'
import { describeModel } from '../models/architectures.ts'
import type { ModelInfo } from '../protocol.ts'
import { type OpenedModel, openModel } from '../storage/open-model.ts'
import { openShardStore } from '../storage/overflow-store.ts'
import type { ShardStore } from '../storage/shard-store.ts'
import { chooseBackend } from './backend-choice.ts'
import { machine, openBackend } from './backends.ts'
import { createLoadProgress } from './load-progress.ts'
import { storedTimes } from './measured-times.ts'
import type { LoadModel } from './model.ts'
import { createModelText } from './model-text.ts'
import { modelWeights } from './model-weights.ts'

/** One for the worker's life: what did not fit on the disk is in its memory. */
let openedStore: Promise<ShardStore> | undefined

/**
 * Brings a model from its reference to an executor that can answer.
 * @throws BrasaError what each step of it throws; `invalid_request` for a context longer than the model's
 */
export const loadEngine: LoadModel = async (request, events) => {
  const { backend: choice, reason, precision } = request
  // What `auto` chooses depends on the model's shapes.
  let backend = choice === 'auto' ? undefined : await openBackend(choice, reason)
  const adapterName = choice === 'auto' ? machine.adapterName() : undefined
  adapterName?.catch(() => {})
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
    })
    sizeBytes = opened.files.reduce((sum, file) => sum + file.size, 0)

    const header = await readSplitGguf(opened.files, events.signal)
    const weights = modelWeights(header, opened.files)
    const spec = await describeModel(header, (name) => weights.read(name, events.signal))
    const text = createModelText(header)
    const contextLength = checkContextLength(request.contextLength, spec)
    throwIfAborted(events.signal)
    if (backend === undefined) {
      const model = { spec, precision, tensors: weights.tensors }
      const here = { ...machine, adapterName: async () => adapterName! }
      const chosen = await chooseBackend(model, here, storedTimes(), events.signal)
      backend = await openBackend(chosen.backend, chosen.reason)
    }

    // From here on the executor owns what the backend opened.
    compiled = true
    const { lookahead } = backend
    const executor = await backend.compile(spec, weights, {
      contextLength,
      linears: request.linears,
      precision,
      signal: events.signal,
      onPhase: progress.enter,
      onUpload: progress.uploaded,
    })
    progress.enter('ready')
    return {
      ...text,
      info: modelInfo(opened, header, { contextLength: executor.contextLength, sizeBytes }),
      executor,
      lookahead,
      counters: () => executor.counters?.() ?? noCounters,
    }
  } catch (error) {
    if (!compiled) backend?.close()
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

function checkContextLength(wanted: number | undefined, spec: TransformerSpec): number {
  if (wanted === undefined || wanted <= spec.contextLength) return wanted ?? spec.contextLength
  throw new BrasaError('invalid_request', {
    message: `"contextLength" is ${wanted}; this model was trained for ${spec.contextLength}. Ask for at most that.`,
    details: { parameter: 'contextLength', value: wanted, contextLength: spec.contextLength },
  })
}

function modelInfo(
  { id, entry }: OpenedModel,
  { metadata, tensors }: GgufHeader,
  sizes: Pick<ModelInfo, 'contextLength' | 'sizeBytes'>,
): ModelInfo {
  const text = (key: string) => {
    const value = metadata.get(key)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const licence = entry?.licence ?? text('general.license')
  return {
    id,
    name: entry?.name ?? text('general.name') ?? id,
    architecture: text('general.architecture') ?? 'unknown',
    quantisation: mostCommonType(tensors),
    ...sizes,
    ...(licence === undefined ? {} : { licence }),
  }
}

function mostCommonType(tensors: GgufHeader['tensors']): string {
  const weightsOf = new Map<string, number>()
  for (const { type, shape } of tensors.values()) {
    const count = shape.reduce((product, length) => product * length, 1)
    weightsOf.set(type, (weightsOf.get(type) ?? 0) + count)
  }
  return [...weightsOf].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'none'
}
