/** Memory is shared by all threads and globals are not: where this thread keeps what it computes in between. 4 KiB. */
export let scratch: usize = 0

export function useScratch(address: usize): void {
  scratch = address
}
