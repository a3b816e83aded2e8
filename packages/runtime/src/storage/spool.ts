import { discard, type HeapMeter } from './heap-meter.ts'

/** Gathers a response's chunks into a Blob, so that four shards in flight hold four megabytes of heap and not 64. */
export interface Spool {
  readonly size: number
  /** Takes the chunk and its buffer: they are gone afterwards. */
  write(chunk: Uint8Array<ArrayBuffer>): void
  /** The first `length` bytes as a Blob; the rest stays, for the shard that comes next. */
  take(length: number): Blob
  clear(): void
}

const flushBytes = 1024 * 1024

export function createSpool(heap: HeapMeter): Spool {
  let spooled = new Blob()
  let chunks: Uint8Array<ArrayBuffer>[] = []
  let chunkBytes = 0

  function flush(): void {
    if (chunkBytes === 0) return
    spooled = new Blob([spooled, ...chunks])
    heap.release(chunkBytes)
    // The Blob has its copy.
    for (const chunk of chunks) discard(chunk)
    chunks = []
    chunkBytes = 0
  }

  return {
    get size() {
      return spooled.size + chunkBytes
    },
    write: (chunk) => {
      chunks.push(chunk)
      chunkBytes += chunk.byteLength
      heap.hold(chunk.byteLength)
      if (chunkBytes >= flushBytes) flush()
    },
    take: (length) => {
      flush()
      const taken = spooled.slice(0, length)
      spooled = spooled.slice(length)
      return taken
    },
    clear: () => {
      heap.release(chunkBytes)
      spooled = new Blob()
      chunks = []
      chunkBytes = 0
    },
  }
}
