import { BrasaError } from '../../errors.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Heap } from './heap.ts'
import { type KernelModule, type Kernels, startKernels } from './kernels.ts'

/** Threads that compute together on one memory: the caller's own, and workers that sleep while there is nothing to do. */
export interface Threads {
  readonly kernels: Kernels
  /** Address of what they agree by; see assembly/threads.ts. */
  readonly board: number
  /**
   * Starts threads until there are `count`.
   * @throws BrasaError `internal` if a worker does not start
   */
  grow(count: number): Promise<void>
  dispose(): void
}

export interface ThreadMessage {
  readonly module: KernelModule
  readonly memory: WebAssembly.Memory
  readonly board: number
  readonly scratch: number
  readonly patience: number
  /** For tests of the board alone: see assembly/threads.ts. */
  readonly hesitation?: number
}

const boardBytes = 1024
/** Looks for work in vain before a thread sleeps: long enough for what the host does between two tokens. */
const patience = 20_000
/** A worker that has not started by then never will. */
const startTimeoutMs = 10_000

/** More threads wait for memory, not for one another. */
const mostThreads = 8

/** Threads that a model may have here: one where the page is not cross-origin isolated. */
export function threadsHere(): number {
  if (globalThis.crossOriginIsolated !== true) return 1
  return Math.max(1, Math.min(navigator.hardwareConcurrency ?? 1, mostThreads))
}

/** Of any matrix of the model. */
export function mostColumns({ hiddenSize, blocks }: TransformerSpec): number {
  const inputs = blocks.flatMap(({ attention, mlp }) => [
    attention.numHeads * attention.headDim,
    mlp.intermediateSize,
  ])
  return Math.max(hiddenSize, ...inputs)
}

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
  const board = heap.allocate(boardBytes)
  const kernels = ownKernels ?? (await startKernels(module, heap.memory, count > 1))
  const scratchBytes = kernels.scratchBytes(mostColumns)
  kernels.useScratch(heap.allocate(scratchBytes))
  const workers: Worker[] = []
  const dispose = () => {
    kernels.stop(board)
    for (const worker of workers) worker.terminate()
  }
  async function grow(to: number): Promise<void> {
    const started = Array.from({ length: to - 1 - workers.length }, () => {
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
  }
  try {
    await grow(count)
  } catch (error) {
    dispose()
    throw error
  }
  return { kernels, board, grow, dispose }
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
