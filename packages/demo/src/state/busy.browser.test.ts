import { effect } from '@preact/signals'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fakeEngine } from './fake-engine.test-support.ts'

/** What the runtime does next, and how far it may go: each of its steps waits to be let on. */
const gate = vi.hoisted(() => {
  let open = () => {}
  let opened = Promise.resolve()
  return {
    close: () => {
      opened = new Promise((resolve) => {
        open = resolve
      })
    },
    open: () => open(),
    pass: () => opened,
  }
})

vi.mock('@brasa/runtime', async (importOriginal) => ({
  ...(await importOriginal<typeof import('@brasa/runtime')>()),
  listStoredModels: async () => [],
  listCatalogue: async () => [],
  createEngine: async () => ({
    ...fakeEngine(async function* () {
      await gate.pass()
      yield 'Words.'
    }).engine,
    fetch: async () => {
      await gate.pass()
      return new Response('{}', { headers: { 'content-type': 'application/json' } })
    },
    sessions: {
      create: async () => {
        await gate.pass()
        return { inputs: [], outputs: [], run: async () => gate.pass().then(() => ({})) }
      },
    },
    embeddings: {
      create: async ({ input }: { input: readonly string[] }) => {
        await gate.pass()
        return { data: input.map(() => ({ embedding: new Float32Array([1]) })) }
      },
    },
  }),
}))

const { isBusy } = await import('./running.ts')
const { loadModel } = await import('./model.ts')

beforeEach(async () => {
  gate.close()
})
afterEach(() => gate.open())

/** Busy from the first moment of the work to its end, and not a moment of it otherwise. */
async function expectBusyFor(work: () => Promise<unknown>): Promise<void> {
  expect(isBusy.value).toBe(false)
  const seen: boolean[] = []
  const stop = effect(() => void seen.push(isBusy.value))
  const done = work()
  expect(isBusy.value).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(isBusy.value).toBe(true)
  gate.open()
  await done
  stop()
  expect(seen).toEqual([false, true, false])
}

test('an answer keeps the page busy', async () => {
  await loadModel('small')
  const { askQuestion } = await import('./answering.ts')
  await expectBusyFor(() => askQuestion('Say something.'))
})

test('so does a comparison', async () => {
  const { choosePane, compare, panes } = await import('./comparison.ts')
  await choosePane('a', { modelId: 'small' })
  await choosePane('b', { modelId: 'small', backend: 'wasm' })
  await expectBusyFor(() => compare('Say something.'))
  expect([panes.value.a.answer?.text, panes.value.b.answer?.text]).toEqual(['Words.', 'Words.'])
})

test('so does a request of the API console', async () => {
  const { request, send, state } = await import('../api/console-state.ts')
  request.value = { method: 'GET', path: '/metrics', body: '' }
  await expectBusyFor(send)
  expect(state.value.kind).toBe('done')
})

test('so does an ONNX model that is opened, and one that runs', async () => {
  const { closeModel, openModel, run, runModel } = await import('../onnx/run-state.ts')
  await expectBusyFor(() => openModel('/some.onnx'))
  gate.close()
  await expectBusyFor(runModel)
  expect(run.value.kind).toBe('done')
  closeModel()
})

test('so does a search', async () => {
  const { query, rank, ranking, text } = await import('../onnx/search-state.ts')
  text.value = 'Bees dance.'
  query.value = 'insects'
  await expectBusyFor(rank)
  expect(ranking.value?.ranked).toHaveLength(1)
})
