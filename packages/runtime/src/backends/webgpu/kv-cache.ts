import { BrasaError } from '../../errors.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { createStorageBuffer, type Gpu, submit, writeBuffer } from './gpu.ts'
import { kvPageBytes, kvPageTokens } from './kernels/kv-pages.ts'

/**
 * Keys and values of all sequences in pages of a fixed number of tokens (Kwon et al. 2023, section 4). A page index means
 * the same page in every layer's buffers. The buffers grow by doubling, so memory follows the tokens that are held.
 */
export interface KvCache {
  /** One buffer a layer; replaced by growth, which raises `generation`. */
  readonly keys: readonly GPUBuffer[]
  readonly values: readonly GPUBuffer[]
  /** u32 (numSlots, maxPagesPerSequence) */
  readonly pageTable: GPUBuffer
  readonly maxPagesPerSequence: number
  /** Changes when buffers are replaced and dispatches that bind them must be prepared anew. */
  readonly generation: number
  readonly byteLength: number
  /**
   * Makes the positions from `length` up to `newLength` of a slot writable: allocates pages, and copies a page that a fork shares.
   * @throws BrasaError `out_of_memory`; what was held stays held
   */
  reserve(slot: number, length: number, newLength: number): Promise<void>
  /** Gives back the pages past the first `length` tokens. */
  truncate(slot: number, length: number): void
  /** Makes `target` hold the same pages as `source`. */
  share(source: number, target: number): void
  destroy(): void
}

/** Tokens there is room for before the first growth. */
const initialTokens = 512

export function createKvCache(
  gpu: Gpu,
  spec: TransformerSpec,
  contextLength: number,
  numSlots: number,
): KvCache {
  const maxPagesPerSequence = Math.ceil(contextLength / kvPageTokens)
  const pageBytes = spec.blocks.map(({ attention }) => kvPageBytes(attention))
  const pageTable = createStorageBuffer(gpu, 'kv.pageTable', numSlots * maxPagesPerSequence * 4)
  /** Pages of each slot in order of position. */
  const pagesOf: number[][] = Array.from({ length: numSlots }, () => [])
  /** How many slots hold each page. */
  const holders: number[] = []
  const freePages: number[] = []

  const allocate = (numPages: number) => ({
    keys: pageBytes.map((bytes, layer) => createStorageBuffer(gpu, `kv.keys.${layer}`, bytes * numPages)),
    values: pageBytes.map((bytes, layer) => createStorageBuffer(gpu, `kv.values.${layer}`, bytes * numPages)),
  })
  const addFreePages = (numPages: number) => {
    for (let page = numPages - 1; page >= holders.length; page--) freePages.push(page)
    while (holders.length < numPages) holders.push(0)
  }
  const initialPages = Math.min(Math.ceil(initialTokens / kvPageTokens), maxPagesPerSequence)
  let buffers = allocate(initialPages)
  let generation = 0
  addFreePages(initialPages)

  async function grow(pagesWanted: number): Promise<void> {
    const oldPages = holders.length
    const numPages = Math.min(Math.max(oldPages * 2, oldPages + pagesWanted), numSlots * maxPagesPerSequence)
    const largest = Math.max(...pageBytes) * numPages
    gpu.device.pushErrorScope('out-of-memory')
    const fits =
      largest <= Math.min(gpu.device.limits.maxBufferSize, gpu.device.limits.maxStorageBufferBindingSize)
    const grown = fits ? allocate(numPages) : undefined
    const outOfMemory = await gpu.device.popErrorScope()
    if (grown === undefined || outOfMemory !== null) {
      for (const buffer of [...(grown?.keys ?? []), ...(grown?.values ?? [])]) buffer.destroy()
      throw new BrasaError('out_of_memory', {
        message: `The GPU has no room for a KV cache of ${numPages * kvPageTokens} tokens. Start a new chat, or load the model with a smaller contextLength.`,
        details: { numTokens: numPages * kvPageTokens },
        cause: outOfMemory,
      })
    }
    const encoder = gpu.device.createCommandEncoder({ label: 'kv.grow' })
    pageBytes.forEach((bytes, layer) => {
      encoder.copyBufferToBuffer(buffers.keys[layer]!, 0, grown.keys[layer]!, 0, bytes * oldPages)
      encoder.copyBufferToBuffer(buffers.values[layer]!, 0, grown.values[layer]!, 0, bytes * oldPages)
    })
    submit(gpu, encoder.finish())
    destroyBuffers()
    buffers = grown
    generation += 1
    addFreePages(numPages)
  }

  function copyPage(source: number, target: number): void {
    const encoder = gpu.device.createCommandEncoder({ label: 'kv.copyPage' })
    pageBytes.forEach((bytes, layer) => {
      for (const buffer of [buffers.keys[layer]!, buffers.values[layer]!]) {
        encoder.copyBufferToBuffer(buffer, source * bytes, scratch(bytes), 0, bytes)
        encoder.copyBufferToBuffer(scratch(bytes), 0, buffer, target * bytes, bytes)
      }
    })
    submit(gpu, encoder.finish())
  }

  // A buffer cannot be copied onto itself in one command.
  let scratchBuffer: GPUBuffer | undefined
  const scratch = (bytes: number) => {
    scratchBuffer ??= createStorageBuffer(gpu, 'kv.scratch', Math.max(bytes, ...pageBytes))
    return scratchBuffer
  }

  function release(page: number): void {
    holders[page]! -= 1
    if (holders[page] === 0) freePages.push(page)
  }

  function takePage(): number {
    const page = freePages.pop()!
    holders[page] = 1
    return page
  }

  function writeTable(slot: number, fromPage: number): void {
    const pages = pagesOf[slot]!
    if (fromPage >= pages.length) return
    const offset = (slot * maxPagesPerSequence + fromPage) * 4
    writeBuffer(gpu, pageTable, offset, new Uint32Array(pages.slice(fromPage)))
  }

  function destroyBuffers(): void {
    for (const buffer of [...buffers.keys, ...buffers.values]) buffer.destroy()
  }

  return {
    get keys() {
      return buffers.keys
    },
    get values() {
      return buffers.values
    },
    pageTable,
    maxPagesPerSequence,
    get generation() {
      return generation
    },
    get byteLength() {
      return 2 * holders.length * pageBytes.reduce((sum, bytes) => sum + bytes, 0)
    },
    async reserve(slot, length, newLength) {
      const pages = pagesOf[slot]!
      const firstWritten = Math.floor(length / kvPageTokens)
      const shared = firstWritten < pages.length && holders[pages[firstWritten]!]! > 1
      const missing = Math.ceil(newLength / kvPageTokens) - pages.length
      const wanted = Math.max(0, missing) + (shared ? 1 : 0)
      if (wanted === 0) return
      if (freePages.length < wanted) await grow(wanted - freePages.length)
      if (shared) {
        const original = pages[firstWritten]!
        pages[firstWritten] = takePage()
        copyPage(original, pages[firstWritten]!)
        release(original)
      }
      for (let i = 0; i < missing; i++) pages.push(takePage())
      writeTable(slot, firstWritten)
    },
    truncate(slot, length) {
      const kept = Math.ceil(length / kvPageTokens)
      for (const page of pagesOf[slot]!.splice(kept)) release(page)
    },
    share(source, target) {
      const pages = [...pagesOf[source]!]
      for (const page of pages) holders[page]! += 1
      pagesOf[target] = pages
      writeTable(target, 0)
    },
    destroy() {
      destroyBuffers()
      scratchBuffer?.destroy()
      pageTable.destroy()
    },
  }
}
