import { startKernels } from './kernels.ts'
import type { ThreadMessage } from './threads.ts'

/** A thread that helps: it starts, says so, and never comes back to its event loop before it is told to stop. */
globalThis.onmessage = async ({ data }: MessageEvent<ThreadMessage>) => {
  const { module, memory, board, scratch, patience, hesitation = 0 } = data
  const kernels = await startKernels(module, memory, true)
  kernels.useScratch(scratch)
  postMessage('ready')
  kernels.help(board, patience, hesitation)
  close()
}
