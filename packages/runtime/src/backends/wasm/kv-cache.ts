import { BrasaError } from '../../errors.ts'
import { type ActivationPrecision, rollbackTokens } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Heap } from './heap.ts'

/** As in assembly/pages.ts. */
export const pageTokens = 64
const panelWidth = 8

/** Bytes of each component of keys and values: floats, or whole numbers of up to 16 bits with a scale a token. */
export type KeyBytes = 2 | 4

/** Floats where activations are asked to be; else as fine as the finest other ones, in half of the bytes. */
export const keyBytesOf = (precision: ActivationPrecision | undefined): KeyBytes =>
  precision === 'f32' ? 4 : 2

/** Bytes of a layer's part of a page: assembly/pages.ts draws it. */
export function layerBytes(numKvHeads: number, headDim: number, keyBytes: KeyBytes): number {
  const components = headDim + Math.ceil(headDim / panelWidth) * panelWidth
  return numKvHeads * pageTokens * (components * keyBytes + (keyBytes === 2 ? 8 : 0))
}

/** Layers that hold the same positions: all that have the same window. Their pages are one allocation. */
export interface LayerGroup {
  /** Positions that a row reads; undefined: all. */
  readonly window: number | undefined
  readonly pageBytes: number
}

/** Where a layer's keys and values are in a page of its group. */
export interface LayerPlace {
  readonly group: number
  readonly offset: number
}

/** Pages of keys and values, given to sequences and taken back (Kwon et al. 2023, section 4). */
export interface KvPages {
  readonly keyBytes: KeyBytes
  readonly groups: readonly LayerGroup[]
  readonly layers: readonly LayerPlace[]
  createCache(): KvCache
  /** Bytes of all pages, those that wait for a sequence too. */
  readonly byteLength: number
}

/** Keys and values of one sequence. */
export interface KvCache {
  /** Address of a group's page table. */
  tableOf(group: number): number
  /** @throws BrasaError `out_of_memory` */
  reserve(length: number): void
  /** Gives back pages that no row at `length` and on will read. */
  release(length: number): void
  /** @returns how many positions are left */
  rollback(length: number): number
  copyFrom(other: KvCache, length: number): void
  free(): void
  readonly byteLength: number
  readonly pagesOf: readonly (readonly number[])[]
}

/** How a model's layers share pages. */
export function kvLayout(spec: TransformerSpec, keyBytes: KeyBytes): Pick<KvPages, 'groups' | 'layers'> {
  const groups: { window: number | undefined; pageBytes: number }[] = []
  const layers = spec.blocks.map(({ attention: { window, numKvHeads, headDim } }): LayerPlace => {
    let group = groups.findIndex((candidate) => candidate.window === window)
    if (group < 0) group = groups.push({ window, pageBytes: 0 }) - 1
    const offset = groups[group]!.pageBytes
    groups[group]!.pageBytes += layerBytes(numKvHeads, headDim, keyBytes)
    return { group, offset }
  })
  return { groups, layers }
}

export function createKvPages(
  spec: TransformerSpec,
  contextLength: number,
  keyBytes: KeyBytes,
  heap: Heap,
): KvPages {
  const { groups, layers } = kvLayout(spec, keyBytes)
  const numPages = Math.ceil(contextLength / pageTokens)
  /** Pages of each group that no sequence holds. */
  const free: number[][] = groups.map(() => [])
  const freeTables: number[] = []
  let byteLength = 0

  function takePage(group: number): number {
    const page = free[group]!.pop()
    if (page !== undefined) return page
    const { pageBytes } = groups[group]!
    try {
      const address = heap.allocate(pageBytes)
      byteLength += pageBytes
      return address
    } catch (cause) {
      throw new BrasaError('out_of_memory', {
        message:
          'There is no room for more keys and values. Start a new chat, or load the model with a smaller contextLength.',
        details: { pageBytes },
        cause,
      })
    }
  }

  function createCache(): KvCache {
    const tables = freeTables.pop() ?? heap.allocate(groups.length * numPages * 4)
    /** Of each group by index of page; 0 where the page was given back. */
    const pages: number[][] = groups.map(() => [])
    let firstHeld = 0
    let isFree = false

    const giveBack = (group: number, index: number) => {
      const page = pages[group]![index]
      if (page) free[group]!.push(page)
      pages[group]![index] = 0
    }
    const cache: KvCache = {
      pagesOf: pages,
      tableOf: (group) => tables + group * numPages * 4,
      reserve(length) {
        if (isFree) throw new BrasaError('internal', { message: 'The sequence was freed meanwhile.' })
        for (const [group, held] of pages.entries()) {
          while (held.length * pageTokens < length) {
            const page = takePage(group)
            heap.words(cache.tableOf(group), numPages)[held.length] = page
            held.push(page)
          }
        }
      },
      release(length) {
        for (const [group, { window }] of groups.entries()) {
          if (window === undefined) continue
          const first = Math.max(0, length - window - rollbackTokens)
          for (let index = 0; (index + 1) * pageTokens <= first; index++) giveBack(group, index)
          firstHeld = Math.max(firstHeld, Math.floor(first / pageTokens) * pageTokens)
        }
      },
      rollback(length) {
        const smallest = Math.min(...groups.map(({ window }) => window ?? Number.POSITIVE_INFINITY))
        const readsGone = firstHeld > 0 && length - smallest + 1 < firstHeld
        const kept = readsGone ? 0 : length
        for (const [group, held] of pages.entries()) {
          for (let index = Math.ceil(kept / pageTokens); index < held.length; index++) giveBack(group, index)
          held.length = Math.min(held.length, Math.ceil(kept / pageTokens))
        }
        if (kept === 0) firstHeld = 0
        return kept
      },
      copyFrom(other, length) {
        cache.reserve(length)
        for (const [group, held] of pages.entries()) {
          for (const [index, page] of held.entries()) {
            const source = other.pagesOf[group]![index]
            if (source) {
              new Uint8Array(heap.memory.buffer).copyWithin(page, source, source + groups[group]!.pageBytes)
            } else {
              giveBack(group, index)
              firstHeld = Math.max(firstHeld, (index + 1) * pageTokens)
            }
          }
        }
      },
      free() {
        for (const [group, held] of pages.entries()) {
          for (const index of held.keys()) giveBack(group, index)
          held.length = 0
        }
        freeTables.push(tables)
        isFree = true
      },
      get byteLength() {
        return pages.reduce(
          (sum, held, group) => sum + held.filter((page) => page !== 0).length * groups[group]!.pageBytes,
          0,
        )
      },
    }
    return cache
  }

  return {
    ...{ keyBytes, groups, layers, createCache },
    get byteLength() {
      return byteLength
    },
  }
}
