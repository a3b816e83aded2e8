import { BrasaError } from '../../errors.ts'
import { createStorageBuffer, type Gpu, submit, writeBuffer } from './gpu.ts'
import { kvPageTokens } from './kernels/kv-pages.ts'
import { firstHeldPosition, firstReadPosition, initialPages, type KvGroup } from './kv-groups.ts'

/**
 * Keys and values of one group's layers in pages of a fixed number of tokens (Kwon et al. 2023, section 4). A page index means
 * the same page in every layer's buffers. The buffers grow by doubling, so memory follows the tokens that are held.
 */
export interface KvPagePool {
  readonly group: KvGroup
  /** One buffer a layer of the group; replaced by growth. */
  readonly keys: readonly GPUBuffer[]
  readonly values: readonly GPUBuffer[]
  /** u32 (numSlots, maxPagesPerSequence). Entries of pages that were given back are out of date, and are not read. */
  readonly pageTable: GPUBuffer
  readonly byteLength: number
  /**
   * Makes the positions from `length` up to `newLength` of a slot writable: gives back the pages behind the window, allocates
   * pages, and copies a page that a fork shares.
   * @returns whether the buffers were replaced
   * @throws BrasaError `out_of_memory`; what was held stays held
   */
  reserve(slot: number, length: number, newLength: number): Promise<boolean>
  /** Whether a slot still holds all that a token after the first `length` would read. */
  holdsWindow(slot: number, length: number): boolean
  /** Gives back the pages past the first `length` tokens. */
  truncate(slot: number, length: number): void
  /** Makes `target` hold the same pages as `source`. */
  share(source: number, target: number): void
  destroy(): void
}

/** Pages of a slot in order of position, without those behind its window. */
interface SlotPages {
  /** How many pages before these were given back. */
  firstPage: number
  pages: number[]
}

export function createKvPagePool(
  gpu: Gpu,
  group: KvGroup,
  maxPagesPerSequence: number,
  numSlots: number,
): KvPagePool {
  const { layers, pageBytes, pagesPerSequence } = group
  const pageTable = createStorageBuffer(gpu, 'kv.pageTable', numSlots * maxPagesPerSequence * 4)
  const slots = Array.from({ length: numSlots }, (): SlotPages => ({ firstPage: 0, pages: [] }))
  /** How many slots hold each page. */
  const holders: number[] = []
  const freePages: number[] = []

  const allocate = (numPages: number) => ({
    keys: pageBytes.map((bytes, i) => createStorageBuffer(gpu, `kv.keys.${layers[i]}`, bytes * numPages)),
    values: pageBytes.map((bytes, i) => createStorageBuffer(gpu, `kv.values.${layers[i]}`, bytes * numPages)),
  })
  const addFreePages = (numPages: number) => {
    for (let page = numPages - 1; page >= holders.length; page--) freePages.push(page)
    while (holders.length < numPages) holders.push(0)
  }
  let buffers = allocate(initialPages(group))
  addFreePages(initialPages(group))

  async function grow(pagesWanted: number): Promise<void> {
    const oldPages = holders.length
    const numPages = grownPages(oldPages, oldPages + pagesWanted, pagesPerSequence)
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
    pageBytes.forEach((bytes, i) => {
      encoder.copyBufferToBuffer(buffers.keys[i]!, 0, grown.keys[i]!, 0, bytes * oldPages)
      encoder.copyBufferToBuffer(buffers.values[i]!, 0, grown.values[i]!, 0, bytes * oldPages)
    })
    submit(gpu, encoder.finish())
    destroyBuffers()
    buffers = grown
    addFreePages(numPages)
  }

  function copyPage(source: number, target: number): void {
    const encoder = gpu.device.createCommandEncoder({ label: 'kv.copyPage' })
    pageBytes.forEach((bytes, i) => {
      for (const buffer of [buffers.keys[i]!, buffers.values[i]!]) {
        encoder.copyBufferToBuffer(buffer, source * bytes, scratch(), 0, bytes)
        encoder.copyBufferToBuffer(scratch(), 0, buffer, target * bytes, bytes)
      }
    })
    submit(gpu, encoder.finish())
  }

  // A buffer cannot be copied onto itself in one command.
  let scratchBuffer: GPUBuffer | undefined
  const scratch = () => {
    scratchBuffer ??= createStorageBuffer(gpu, 'kv.scratch', Math.max(...pageBytes))
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

  /** Commands that read these pages were submitted before any that may write them again. */
  function releaseBehindWindow(held: SlotPages, length: number): void {
    const firstPage = Math.floor(firstHeldPosition(group, length) / kvPageTokens)
    for (const page of held.pages.splice(0, Math.max(0, firstPage - held.firstPage))) release(page)
    held.firstPage = Math.max(held.firstPage, firstPage)
  }

  function writeTable(slot: number, fromIndex: number): void {
    const { firstPage, pages } = slots[slot]!
    if (fromIndex >= pages.length) return
    const offset = (slot * maxPagesPerSequence + firstPage + fromIndex) * 4
    writeBuffer(gpu, pageTable, offset, new Uint32Array(pages.slice(fromIndex)))
  }

  function destroyBuffers(): void {
    for (const buffer of [...buffers.keys, ...buffers.values]) buffer.destroy()
  }

  return {
    group,
    get keys() {
      return buffers.keys
    },
    get values() {
      return buffers.values
    },
    pageTable,
    get byteLength() {
      return 2 * holders.length * pageBytes.reduce((sum, bytes) => sum + bytes, 0)
    },
    async reserve(slot, length, newLength) {
      const held = slots[slot]!
      const { pages } = held
      releaseBehindWindow(held, length)
      const firstWritten = Math.floor(length / kvPageTokens) - held.firstPage
      const shared = firstWritten < pages.length && holders[pages[firstWritten]!]! > 1
      const missing = Math.ceil(newLength / kvPageTokens) - held.firstPage - pages.length
      const wanted = Math.max(0, missing) + (shared ? 1 : 0)
      if (wanted === 0) return false
      const grows = freePages.length < wanted
      if (grows) await grow(wanted - freePages.length)
      if (shared) {
        const original = pages[firstWritten]!
        pages[firstWritten] = takePage()
        copyPage(original, pages[firstWritten]!)
        release(original)
      }
      for (let i = 0; i < missing; i++) pages.push(takePage())
      writeTable(slot, firstWritten)
      return grows
    },
    holdsWindow(slot, length) {
      return slots[slot]!.firstPage * kvPageTokens <= firstReadPosition(group, length)
    },
    truncate(slot, length) {
      const held = slots[slot]!
      const kept = Math.max(0, Math.ceil(length / kvPageTokens) - held.firstPage)
      for (const page of held.pages.splice(kept)) release(page)
      if (length === 0) held.firstPage = 0
    },
    share(source, target) {
      const { firstPage, pages } = slots[source]!
      for (const page of pages) holders[page]! += 1
      slots[target] = { firstPage, pages: [...pages] }
      writeTable(target, 0)
    },
    destroy() {
      destroyBuffers()
      scratchBuffer?.destroy()
      pageTable.destroy()
    },
  }
}

/** Twice as many, but no more than some whole sequences need, of which there are never more than slots. */
export function grownPages(oldPages: number, pagesWanted: number, pagesPerSequence: number): number {
  const wholeSequences = Math.ceil(pagesWanted / pagesPerSequence) * pagesPerSequence
  return Math.min(Math.max(oldPages * 2, pagesWanted), wholeSequences)
}
