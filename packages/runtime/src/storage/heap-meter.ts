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
