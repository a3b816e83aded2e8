import type { CatalogueEntry } from '@brasa/runtime'
import type { ModelFacts } from '../state/model-facts.ts'

/** Whether a model has room on this device, as far as it is known. */
export type Fit =
  | (Room & {
      readonly kind: 'fits'
      readonly totalBytes: number
      /** Tokens that this is for. */
      readonly contextLength: number
      /** Left out where the figure is the catalogue's. */
      readonly backend?: 'webgpu' | 'wasm' | 'ort'
    })
  /** The same, on a device that does not say how much memory it has. */
  | (Room & { readonly kind: 'takes'; readonly totalBytes: number; readonly contextLength: number })
  /** Only the size of its file is known. */
  | (Room & { readonly kind: 'weights'; readonly sizeBytes: number })
  | { readonly kind: 'over_memory'; readonly neededBytes: number; readonly limitBytes: number }
  | { readonly kind: 'over_storage'; readonly neededBytes: number; readonly freeBytes: number }
  | { readonly kind: 'problem'; readonly message: string }

interface Room {
  /** What of it is not here yet and has room in storage; left out where the browser does not say, and where nothing is missing. */
  readonly roomForBytes?: number
}

export interface Device {
  /** Left out where the browser does not say, or says that there is plenty. */
  readonly memoryBytes?: number | undefined
  readonly hasPlenty?: boolean
  readonly freeBytes?: number | undefined
}

/**
 * @param missingBytes of the file, not here yet
 * @param facts of its header, read on this device
 * @param estimate that the catalogue carries, for what nobody has looked at here
 */
export function fitOf(
  sizeBytes: number,
  missingBytes: number,
  facts: ModelFacts | undefined,
  estimate: CatalogueEntry['memory'],
  { memoryBytes, hasPlenty = false, freeBytes }: Device,
): Fit {
  const able = facts?.memory.filter(({ problem }) => problem === undefined) ?? []
  const least = [...able].sort((a, b) => a.totalBytes - b.totalBytes)[0]
  const problem = facts?.memory.find(({ backend }) => backend === 'wasm')?.problem
  if (facts !== undefined && least === undefined && problem !== undefined)
    return { kind: 'problem', message: problem }
  const neededBytes = least?.totalBytes ?? estimate?.bytes ?? sizeBytes
  if (memoryBytes !== undefined && neededBytes > memoryBytes)
    return { kind: 'over_memory', neededBytes, limitBytes: memoryBytes }
  if (freeBytes !== undefined && missingBytes > freeBytes)
    return { kind: 'over_storage', neededBytes: missingBytes, freeBytes }
  const room = freeBytes === undefined || missingBytes === 0 ? {} : { roomForBytes: missingBytes }
  // The engine has weighed it against what it knows of each backend.
  if (least !== undefined) {
    const { totalBytes, contextLength, backend } = least
    return { kind: 'fits', totalBytes, contextLength, backend, ...room }
  }
  if (estimate === undefined) return { kind: 'weights', sizeBytes, ...room }
  const { bytes: totalBytes, contextLength } = estimate
  return {
    kind: hasPlenty || memoryBytes !== undefined ? 'fits' : 'takes',
    ...{ totalBytes, contextLength },
    ...room,
  }
}

/** Weights are not all that a model needs: a conversation has its share. */
const withConversation = 1.5

/** The largest of `models` that surely has room in `limitBytes`. */
export function largestWithin<T extends { readonly sizeBytes: number }>(
  models: readonly T[],
  limitBytes: number,
): T | undefined {
  const fitting = models.filter(({ sizeBytes }) => sizeBytes * withConversation <= limitBytes)
  return fitting.sort((a, b) => b.sizeBytes - a.sizeBytes)[0]
}
