import { rollbackTokens } from '../executor.ts'
import type { AttentionSpec, TransformerSpec } from '../transformer-spec.ts'
import { kvPageBytes, kvPageTokens } from './kernels/kv-pages.ts'

/** Layers with the same window, whose keys and values of a position are held and given back together. */
export interface KvGroup {
  /** Absent where it is no shorter than the context. */
  readonly window: number | undefined
  /** Indices of blocks. */
  readonly layers: readonly number[]
  /** Bytes of a page of keys in each of these layers; of values as many. */
  readonly pageBytes: readonly number[]
  /** The most pages that one sequence holds. */
  readonly pagesPerSequence: number
}

/** The most of a sequence that is held at a time: a chunk, the window before it, and what may be rolled back. */
export function kvGroups(spec: TransformerSpec, contextLength: number, chunkSize: number): KvGroup[] {
  const layersOf = new Map<number | undefined, number[]>()
  for (const [layer, { attention }] of spec.blocks.entries()) {
    const window = boundedWindow(attention, contextLength)
    layersOf.set(window, [...(layersOf.get(window) ?? []), layer])
  }
  const allPages = Math.ceil(contextLength / kvPageTokens)
  return [...layersOf].map(([window, layers]) => ({
    window,
    layers,
    pageBytes: layers.map((layer) => kvPageBytes(spec.blocks[layer]!.attention)),
    pagesPerSequence:
      window === undefined
        ? allPages
        : Math.min(allPages, Math.ceil((window + rollbackTokens + chunkSize) / kvPageTokens) + 1),
  }))
}

/** Positions before it need not be held by a sequence of `length` tokens, even if it is rolled back. */
export function firstHeldPosition({ window }: KvGroup, length: number): number {
  return window === undefined ? 0 : Math.max(0, length - rollbackTokens - window + 1)
}

/** The first position that the token at `position` reads. */
export function firstReadPosition({ window }: KvGroup, position: number): number {
  return window === undefined ? 0 : Math.max(0, position - window + 1)
}

/** Pages there is room for before the first growth. */
export const initialPages = ({ pagesPerSequence }: KvGroup): number =>
  Math.min(Math.ceil(512 / kvPageTokens), pagesPerSequence)

const boundedWindow = ({ window }: AttentionSpec, contextLength: number) =>
  window !== undefined && window < contextLength ? window : undefined
