/** Counts model bytes that storage holds on the JS heap. Blobs do not count: the browser keeps them elsewhere. */
export interface HeapMeter {
  hold(bytes: number): void
  release(bytes: number): void
  readonly heldBytes: number
  readonly highWaterBytes: number
}

export function createHeapMeter(): HeapMeter {
  let heldBytes = 0
  let highWaterBytes = 0
  return {
    hold: (bytes) => {
      heldBytes += bytes
      highWaterBytes = Math.max(highWaterBytes, heldBytes)
    },
    release: (bytes) => {
      heldBytes -= bytes
    },
    get heldBytes() {
      return heldBytes
    },
    get highWaterBytes() {
      return highWaterBytes
    },
  }
}

/**
 * Gives the memory of bytes that nobody uses any more back at once, not when the collector gets to it: shards are large
 * and come faster than it runs. The buffer is of length 0 from then on.
 */
export function discard(bytes: ArrayBufferView<ArrayBuffer>): void {
  // Safari before 17.4 and Firefox before 122 leave it to the collector.
  bytes.buffer.transfer?.(0)
}
