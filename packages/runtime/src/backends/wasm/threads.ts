import { BrasaError } from '../../errors.ts'
import type { Heap } from './heap.ts'
import { type KernelModule, type Kernels, startKernels } from './kernels.ts'

/** Threads that compute together on one memory: the caller's own, and workers that sleep while there is nothing to do. */
export interface Threads {
  readonly count: number
  readonly kernels: Kernels
  /** Address of what they agree by; see assembly/threads.ts. */
  readonly board: number
  dispose(): void
}

export interface ThreadMessage {
  readonly module: KernelModule
  readonly memory: WebAssembly.Memory
  readonly board: number
  readonly scratch: number
  readonly patience: number
}

const boardBytes = 1024
/** Looks for work in vain before a thread sleeps: long enough for what the host does between two tokens. */
const patience = 20_000
/** A worker that has not started by then never will. */
const startTimeoutMs = 10_000

/**
 * @param mostColumns of any matrix
 * @param ownKernels an instance of the caller's thread, where it has one
 * @throws BrasaError `internal` if a worker does not start
 */
export async function startThreads(
  module: KernelModule,
  heap: Heap,
  count: number,
  mostColumns: number,
  ownKernels?: Kernels,
): Promise<Threads> {
  const isShared = count > 1
  const board = heap.allocate(boardBytes)
  const kernels = ownKernels ?? (await startKernels(module, heap.memory, isShared))
  const scratchBytes = kernels.scratchBytes(mostColumns)
  kernels.useScratch(heap.allocate(scratchBytes))
  const workers: Worker[] = []
  const dispose = () => {
    kernels.stop(board)
    for (const worker of workers) worker.terminate()
  }
  try {
    const started = Array.from({ length: count - 1 }, () => {
      const worker = new Worker(new URL('./thread.ts', import.meta.url), {
        type: 'module',
        name: 'brasa thread',
      })
      workers.push(worker)
      const message: ThreadMessage = {
        module,
        memory: heap.memory,
        board,
        scratch: heap.allocate(scratchBytes),
        patience,
      }
      return begun(worker, message)
    })
    await Promise.all(started)
  } catch (error) {
    dispose()
    throw error
  }
  return { count, kernels, board, dispose }
}

function begun(worker: Worker, message: ThreadMessage): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) =>
      reject(new BrasaError('internal', { message: `A thread for computing did not start: ${what}.` }))
    const timer = setTimeout(() => fail('it did not answer'), startTimeoutMs)
    worker.onmessage = () => {
      clearTimeout(timer)
      resolve()
    }
    worker.onerror = (event) => {
      event.preventDefault()
      clearTimeout(timer)
      fail(event.message || 'its script did not load')
    }
    worker.postMessage(message)
  })
}
