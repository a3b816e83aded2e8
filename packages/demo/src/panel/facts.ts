import type { Engine, EngineWarning } from '@brasa/runtime'
import { backendNames } from '../format/backend-names.ts'
import { formatBytes, formatCount } from '../format/units.ts'
import type { Words } from '../words/en.ts'
import type { AdapterFacts } from './adapter.ts'

/** What is known of the machine at the moment; left out is what is not known, or not yet. */
export interface Facts {
  readonly pageVersion: string
  readonly userAgent: string
  readonly numCores: number
  readonly deviceMemoryGb?: number
  readonly isIsolated: boolean
  readonly hasServiceWorker: boolean
  readonly isOnline: boolean
  /** Null where the browser offers none. */
  readonly adapter?: AdapterFacts | null
  readonly storage?: StorageFacts
  /** Where the person wants the model to run. */
  readonly choice: keyof Words['device']['choices']
  readonly model?: Engine['model']
  readonly device?: Engine['device']
  readonly memory?: Awaited<ReturnType<Engine['memory']>>
  /** Of the page and its workers, as the browser counts. */
  readonly scriptBytes?: number
  readonly warnings: readonly EngineWarning[]
}

export interface StorageFacts {
  readonly usedBytes: number
  /** What the browser says it would give, which is not what the disk has. */
  readonly quotaBytes: number
  readonly isPersistent: boolean
}

export interface FactSection {
  readonly id: 'running' | 'memory' | 'graphics' | 'storage' | 'browser'
  readonly title: string
  readonly rows: readonly Row[]
}

export type Row = readonly [label: string, value: string]

/** The facts as rows, for the panel and for the text alike. */
export function factSections(facts: Facts, words: Words['device']): readonly FactSection[] {
  return [
    { id: 'running', title: words.runningOn, rows: runningRows(facts, words) },
    { id: 'memory', title: words.memory, rows: memoryRows(facts, words) },
    { id: 'graphics', title: words.graphics, rows: graphicsRows(facts, words) },
    { id: 'storage', title: words.storage, rows: storageRows(facts, words) },
    { id: 'browser', title: words.browser, rows: browserRows(facts, words) },
  ]
}

export function runningRows({ device, numCores }: Facts, words: Words['device']): readonly Row[] {
  if (device === undefined) return []
  const { backend, adapter, threads } = device
  return [
    [words.backend, backendNames[backend]],
    [words.adapter, adapter],
    ...(threads === undefined ? [] : [[words.threads, words.threadsOf(threads, numCores)] as const]),
    ...buildRows({ device }, words),
  ]
}

/** How the backend was built for the model, as far as it had a choice. */
export function buildRows({ device }: Pick<Facts, 'device'>, words: Words['device']): readonly Row[] {
  const { decode, linears } = device ?? {}
  return [
    ...(decode === undefined ? [] : [[words.variant, decode.variant] as const]),
    ...(linears === undefined ? [] : [[words.linears, linearsInWords(linears, words)] as const]),
  ]
}

/** Such as "int8, 98 MB, 0.36 % off". */
function linearsInWords(
  { format, weightBytes, relativeError }: NonNullable<Engine['device']['linears']>,
  words: Words['device'],
): string {
  const off = relativeError === 0 ? [] : [words.off((100 * relativeError).toPrecision(2))]
  return [format, formatBytes(weightBytes), ...off].join(', ')
}

/** What the model holds is in the memory of what computes with it. */
export function memoryRows({ device, memory, scriptBytes }: Facts, words: Words['device']): readonly Row[] {
  const modelBytes = memory && memory.weightBytes + memory.kvCacheBytes + memory.otherBytes
  const isOnGpu = device?.backend === 'webgpu'
  const inPart = (isHere: boolean) => formatBytes(isHere ? (modelBytes ?? 0) : 0)
  return [
    ...(memory === undefined
      ? []
      : ([
          [words.weights, formatBytes(memory.weightBytes)],
          [words.kvCache, formatBytes(memory.kvCacheBytes)],
          [words.working, formatBytes(memory.otherBytes)],
          [words.onGpu, inPart(isOnGpu)],
          [words.inWasm, inPart(device?.backend === 'wasm' || device?.backend === 'ort')],
        ] as const)),
    ...(scriptBytes === undefined ? [] : [[words.inScript, formatBytes(scriptBytes)] as const]),
  ]
}

function graphicsRows({ adapter, device }: Facts, words: Words['device']): readonly Row[] {
  if (adapter === undefined) return []
  if (adapter === null) return [['WebGPU', words.noAdapter]]
  const inUse = device?.backend === 'webgpu' ? device.features : []
  return [
    [words.adapter, adapter.name === '' ? words.notNamed : adapter.name],
    [words.kind, adapter.isSoftware ? words.software : words.hardware],
    ...(inUse.length === 0 ? [] : [[words.featuresInUse, inUse.join(', ')] as const]),
    [words.features, adapter.features.join(', ')],
  ]
}

function storageRows({ storage }: Facts, words: Words['device']): readonly Row[] {
  if (storage === undefined) return []
  const { usedBytes, quotaBytes, isPersistent } = storage
  return [
    [words.used, formatBytes(usedBytes)],
    [words.offered, words.about(formatBytes(quotaBytes))],
    [words.persistent, isPersistent ? words.yes : words.mayBeCleared],
  ]
}

function browserRows(facts: Facts, words: Words['device']): readonly Row[] {
  const { pageVersion, userAgent, numCores, deviceMemoryGb, isIsolated } = facts
  return [
    [words.page, `Brasa ${pageVersion}`],
    [words.cores, formatCount(numCores)],
    ...(deviceMemoryGb === undefined ? [] : [[words.deviceMemory, words.atLeastGb(deviceMemoryGb)] as const]),
    [words.isolated, isIsolated ? words.yes : words.oneThread],
    [words.serviceWorker, facts.hasServiceWorker ? words.yes : words.no],
    [words.online, facts.isOnline ? words.yes : words.no],
    [words.userAgent, userAgent],
  ]
}

/** All of it as plain text, for a report: nothing of any chat is in it. */
export function reportOf(facts: Facts, words: Words['device']): string {
  const { model, device, adapter, warnings, choice } = facts
  const lines = (rows: readonly Row[]) => rows.map(([label, value]) => `  ${label}: ${value}`)
  const asked: Row[] = [
    [words.model, model === undefined ? words.noModel : modelInWords(model)],
    [words.askedFor, words.choices[choice]],
  ]
  return [
    `Brasa ${facts.pageVersion}`,
    ...factSections(facts, words).flatMap(({ id, title, rows }) => {
      const all = id === 'running' ? [...asked, ...rows, ...whyRows(device, words)] : rows
      return all.length === 0 ? [] : ['', title, ...lines(all)]
    }),
    ...(adapter
      ? ['', words.limits, ...lines(adapter.limits.map(([name, value]) => [name, `${value}`]))]
      : []),
    ...(warnings.length === 0
      ? []
      : ['', words.warnings, ...lines(warnings.map(({ code, message }) => [code, message]))]),
    '',
  ].join('\n')
}

const modelInWords = ({ name, architecture, quantisation, sizeBytes, contextLength }: Engine['model']) =>
  `${name}, ${architecture}, ${quantisation}, ${formatBytes(sizeBytes)}, ${formatCount(contextLength)} tokens`

function whyRows(device: Engine['device'] | undefined, words: Words['device']): readonly Row[] {
  if (device === undefined) return []
  return [
    [words.why, device.reason],
    ...timedRows(device).map(({ name, ms }) => [words.layerOn(name), formatLayerTime(ms)] as const),
    ...decodeRows(device, words),
    ...(device.features.length === 0 ? [] : [[words.featuresInUse, device.features.join(', ')] as const]),
  ]
}

export interface Timed {
  readonly name: string
  readonly ms: number
  readonly isChosen: boolean
}

/** What was measured before the backend was chosen, the fastest first. */
export function timedRows({ layerTimes, backend }: Engine['device']): readonly Timed[] {
  if (layerTimes === undefined) return []
  return (['webgpu', 'wasm'] as const)
    .map((each) => ({ name: backendNames[each], ms: layerTimes[each], isChosen: each === backend }))
    .sort((a, b) => a.ms - b.ms)
}

/** How a decode step is built, and what each way to build it took here, the fastest first. */
export function timedVariants({ decode }: Engine['device']): readonly Timed[] {
  if (decode === undefined) return []
  return Object.entries(decode.layerMs)
    .map(([name, ms]) => ({ name, ms, isChosen: name === decode.variant }))
    .sort((a, b) => a.ms - b.ms)
}

function decodeRows(device: Engine['device'], words: Words['device']): readonly Row[] {
  const { decode } = device
  if (decode === undefined) return []
  return [
    [words.variantWhy, decode.reason],
    ...timedVariants(device).map(({ name, ms }) => [words.layerAs(name), formatLayerTime(ms)] as const),
    ...Object.entries(decode.refused).map(([name, why]) => [words.refused(name), why] as const),
  ]
}

/** Two digits that count: "0.28 ms". */
export const formatLayerTime = (ms: number): string =>
  `${ms >= 10 ? formatCount(ms) : Number(ms.toPrecision(2))} ms`
