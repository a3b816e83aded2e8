// The board that threads agree by (assembly/threads.ts), where they are put aside at any moment: more threads than cores, helpers
// that sleep at once and helpers that never do, helpers that wait between seeing a chunk, taking it, doing it and saying so, and other
// work that comes in bursts.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHeap } from './heap.ts'
import { compileKernels, type FeatureSet, startKernels } from './kernels.ts'
import { f32, type OpRecord, writeProgram } from './program.ts'
import type { ThreadMessage } from './threads.ts'

const numColumns = 4
/** Of the ops whose chunks take long enough for a thread to be put aside in mid-chunk. */
const manyColumns = 2048
const opsPerProgram = 40
const sleepersWord = 256 / 4
const greatestChunks = 400

let busy: Worker

beforeAll(() => {
  // Takes a core for up to 3 ms, then leaves it for as long.
  const script = `
    const burst = () => {
      const until = performance.now() + Math.random() * 3
      while (performance.now() < until) {}
      setTimeout(burst, Math.random() * 3)
    }
    burst()`
  busy = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })))
})
afterAll(() => busy.terminate())

interface Helpers {
  readonly patience: number
  readonly hesitation?: number
  readonly featureSet?: FeatureSet
}

/** Threads as threads.ts starts them, with a patience of the test's own. */
async function start(count: number, { patience, hesitation, featureSet }: Helpers) {
  const module = await compileKernels(featureSet)
  const heap = createHeap(true)
  const board = heap.allocate(1024)
  const kernels = await startKernels(module, heap.memory, true)
  const scratchBytes = kernels.scratchBytes(numColumns)
  kernels.useScratch(heap.allocate(scratchBytes))
  const workers = await Promise.all(
    Array.from({ length: count - 1 }, async () => {
      const worker = new Worker(new URL('./thread.ts', import.meta.url), { type: 'module' })
      const scratch = heap.allocate(scratchBytes)
      const ready = new Promise((resolve, reject) => {
        worker.onmessage = resolve
        worker.onerror = reject
      })
      const message: ThreadMessage = {
        ...{ module, memory: heap.memory, board, scratch, patience },
        ...(hesitation !== undefined && { hesitation }),
      }
      worker.postMessage(message)
      await ready
      return worker
    }),
  )
  const dispose = () => {
    kernels.stop(board)
    for (const worker of workers) worker.terminate()
  }
  return { heap, board, kernels, dispose }
}

const numSleepers = (memory: WebAssembly.Memory, board: number) =>
  Atomics.load(new Int32Array(memory.buffer), board / 4 + sleepersWord)

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test.each<[number, Helpers]>([
  [1, { patience: 0 }],
  [2, { patience: 0 }],
  [2, { patience: 20_000 }],
  [2, { patience: 50, hesitation: 20_000 }],
  [2, { patience: 20_000, hesitation: 2_000, featureSet: 'plain' }],
  [4, { patience: 0, featureSet: 'plain' }],
  [4, { patience: 500, hesitation: 5_000, featureSet: 'relaxed' }],
  [8, { patience: 1, hesitation: 500 }],
  [8, { patience: 5_000 }],
])('%i threads with %j do every chunk once', async (count, helpers) => {
  const { patience, hesitation } = helpers
  const { heap, board, kernels, dispose } = await start(count, helpers)
  let state = count * 1000 + patience
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  // Each chunk adds 1 to its row: hidden += rmsNorm(1, 1, 1, 1).
  const ones = heap.allocate(manyColumns * 4)
  heap.floats(ones, manyColumns).fill(1)
  const rows: { address: number; numChunks: number; width: number }[] = []
  const ops = Array.from({ length: opsPerProgram }, (_, op): OpRecord => {
    const width = op % 8 === 7 ? manyColumns : numColumns
    const numChunks = width === numColumns && op % 8 === 3 ? 1 + random(greatestChunks) : 1 + random(12)
    const address = heap.allocate(numChunks * width * 4)
    rows.push({ address, numChunks, width })
    return {
      kind: 'postNorm',
      numChunks,
      fields: [numChunks, width, ones, 0, ones, f32(0), address, width * 4, f32(1)],
    }
  })
  const program = writeProgram(heap, ops)
  const startedAt = performance.now()
  let numRuns = 0
  let mostAwake = 0
  // Those that sleep sooner are seldom seen awake.
  const leastAwake = patience >= 5000 && hesitation === undefined ? 1 : 0
  /** 100,000 ops, or what a busy machine does in 3 s; there a helper's first turn may come later. */
  const isEnough = () => {
    const ms = performance.now() - startedAt
    if (mostAwake < leastAwake && ms < 30_000) return false
    return numRuns * opsPerProgram >= 100_000 || (numRuns >= 20 && ms >= 3000)
  }
  while (!isEnough()) {
    kernels.run(board, program.address, program.numOps)
    numRuns++
    mostAwake = Math.max(mostAwake, count - 1 - numSleepers(heap.memory, board))
    if (random(20) === 0) {
      const until = performance.now() + random(2)
      while (performance.now() < until) {}
    }
    if (random(50) === 0) await pause(random(3))
  }
  for (const [op, { address, numChunks, width }] of rows.entries()) {
    const wrong = heap.floats(address, numChunks * width).find((times) => times !== numRuns)
    if (wrong !== undefined)
      expect.fail(`A chunk of op ${op}, which has ${numChunks}, was done ${wrong} times in ${numRuns} runs`)
  }
  expect(mostAwake).toBeGreaterThanOrEqual(leastAwake)
  // Nothing to do: every helper sleeps soon, and stays asleep.
  const idleAt = performance.now()
  while (numSleepers(heap.memory, board) < count - 1 && performance.now() - idleAt < 5000) await pause(5)
  expect(numSleepers(heap.memory, board)).toBe(count - 1)
  await pause(50)
  expect(numSleepers(heap.memory, board)).toBe(count - 1)
  kernels.run(board, program.address, program.numOps)
  expect(heap.floats(rows[0]!.address, 1)[0]).toBe(numRuns + 1)
  dispose()
})

test('does chunks that a claim cannot count', async () => {
  const { heap, board, kernels, dispose } = await start(2, { patience: 20_000 })
  const ones = heap.allocate(numColumns * 4)
  heap.floats(ones, numColumns).fill(1)
  for (const numChunks of [4094, 4095, 4096, 9000]) {
    const hidden = heap.allocate(numChunks * numColumns * 4)
    const program = writeProgram(heap, [
      {
        kind: 'postNorm',
        numChunks,
        fields: [numChunks, numColumns, ones, 0, ones, f32(0), hidden, numColumns * 4, f32(1)],
      },
    ])
    kernels.run(board, program.address, program.numOps)
    expect(heap.floats(hidden, numChunks * numColumns).every((times) => times === 1)).toBe(true)
  }
  dispose()
})
