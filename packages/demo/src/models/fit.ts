import type { ModelFacts } from '../state/model-facts.ts'

/** Whether a model has room on this device, as far as it is known. */
export type Fit =
  | { readonly kind: 'fits'; readonly totalBytes: number; readonly backend: 'webgpu' | 'wasm' | 'ort' }
  /** Only the size of its file is known. */
  | { readonly kind: 'weights'; readonly sizeBytes: number }
  | { readonly kind: 'over_memory'; readonly neededBytes: number; readonly limitBytes: number }
  | { readonly kind: 'over_storage'; readonly neededBytes: number; readonly freeBytes: number }
  | { readonly kind: 'problem'; readonly message: string }

export interface Device {
  /** Left out where the browser does not say. */
  readonly memoryBytes?: number | undefined
  readonly freeBytes?: number | undefined
}

/** @param missingBytes of the file, not here yet */
export function fitOf(
  sizeBytes: number,
  missingBytes: number,
  facts: ModelFacts | undefined,
  { memoryBytes = Number.POSITIVE_INFINITY, freeBytes = Number.POSITIVE_INFINITY }: Device,
): Fit {
  const able = facts?.memory.filter(({ problem }) => problem === undefined) ?? []
  const least = [...able].sort((a, b) => a.totalBytes - b.totalBytes)[0]
  const problem = facts?.memory.find(({ backend }) => backend === 'wasm')?.problem
  if (facts !== undefined && least === undefined && problem !== undefined)
    return { kind: 'problem', message: problem }
  const neededBytes = least?.totalBytes ?? sizeBytes
  if (neededBytes > memoryBytes) return { kind: 'over_memory', neededBytes, limitBytes: memoryBytes }
  if (missingBytes > freeBytes) return { kind: 'over_storage', neededBytes: missingBytes, freeBytes }
  if (least === undefined) return { kind: 'weights', sizeBytes }
  return { kind: 'fits', totalBytes: least.totalBytes, backend: least.backend }
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
