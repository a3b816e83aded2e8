// A worker of page-busy.browser.test.ts: decodes without end and counts its steps by whether the page is busy.

import { tinyModel } from '../reference/tiny-model.ts'
import { createWasmExecutor } from './executor.ts'

export interface DecodeRateMessage {
  /** i32: [1 while the page is busy, steps while it is not, microseconds of them, steps while it is, microseconds of them] */
  readonly counts: Int32Array
  readonly numThreads: number
}

globalThis.onmessage = async ({ data }: MessageEvent<DecodeRateMessage>) => {
  const { counts, numThreads } = data
  // With a vocabulary as large as a real one: else threads meet more often than they compute.
  const { spec, weights } = tinyModel({ type: 'Q4_K', numBlocks: 24, vocabSize: 48_000, contextLength: 400 })
  const executor = await createWasmExecutor(spec, weights, { numThreads, maxBatchSize: 1 })
  const sequence = executor.createSequence()
  postMessage('ready')
  for (let last = performance.now(); ; ) {
    const isBusy = Atomics.load(counts, 0)
    if (sequence.length === executor.contextLength) executor.rollback(sequence, 0)
    await executor.step([{ sequence, token: 1 }])
    const now = performance.now()
    // A step that the page's mood changed in counts for neither.
    if (Atomics.load(counts, 0) === isBusy) {
      Atomics.add(counts, 1 + 2 * isBusy, 1)
      Atomics.add(counts, 2 + 2 * isBusy, Math.round((now - last) * 1000))
    }
    last = now
  }
}
