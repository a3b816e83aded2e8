import { unpackedBytes } from './unpack'

/** Memory is shared by all threads and globals are not: where this thread keeps what it computes in between. See `scratchBytes`. */
export let scratch: usize = 0

export function useScratch(address: usize): void {
  scratch = address
}

/** Sums and an unpacked tile, in bytes and in floats; or attention's scores of a page, four rows of queries and of sums. */
export function scratchBytes(mostColumns: i32): usize {
  return 4096 + max(unpackedBytes(mostColumns) + (<usize>mostColumns << 5), <usize>mostColumns << 6)
}
