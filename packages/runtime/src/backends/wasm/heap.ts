import { BrasaError } from '../../errors.ts'

/** Address ranges of one WebAssembly memory. */
export interface Heap {
  readonly memory: WebAssembly.Memory
  /**
   * The address of `byteLength` bytes, zeros, on a cache line of their own. Views of the memory made before may be stale.
   * @throws BrasaError `out_of_memory`
   */
  allocate(byteLength: number): number
  /** Bytes that are allocated. */
  readonly usedBytes: number
  floats(address: number, length: number): Float32Array
  words(address: number, length: number): Uint32Array
}

const pageBytes = 65_536
/** Of a 32-bit memory, but the last page: an address past the end must not be 0. */
const mostPages = 65_535
/** AssemblyScript's own data is at the start. */
const firstAddress = 65_536
const lineBytes = 64

/** @throws BrasaError `out_of_memory` where this device gives no address space */
export function createHeap(isShared: boolean): Heap {
  const memory = reserve(isShared)
  let next = firstAddress
  return {
    memory,
    get usedBytes() {
      return next
    },
    allocate(byteLength) {
      const address = next
      const end = address + Math.ceil(byteLength / lineBytes) * lineBytes
      const missing = Math.ceil((end - memory.buffer.byteLength) / pageBytes)
      if (missing > 0) {
        try {
          memory.grow(missing)
        } catch (cause) {
          throw outOfMemory(end, cause)
        }
      }
      next = end
      return address
    },
    floats: (address, length) => new Float32Array(memory.buffer, address, length),
    words: (address, length) => new Uint32Array(memory.buffer, address, length),
  }
}

/** A shared memory reserves its maximum at once: where the address space is short, less of it. */
function reserve(isShared: boolean): WebAssembly.Memory {
  let failure: unknown
  for (let maximum = mostPages; maximum >= 4096; maximum = Math.floor(maximum / 2)) {
    try {
      return new WebAssembly.Memory({ initial: 2, maximum, shared: isShared })
    } catch (error) {
      failure = error
    }
  }
  throw outOfMemory(pageBytes, failure)
}

function outOfMemory(byteLength: number, cause: unknown): BrasaError {
  return new BrasaError('out_of_memory', {
    message: `WebAssembly has no room for ${Math.ceil(byteLength / 2 ** 20)} MiB: it holds at most 4,096 MiB, and this device may have less. Close other tabs, or choose a smaller model or contextLength.`,
    details: { byteLength },
    cause,
  })
}
