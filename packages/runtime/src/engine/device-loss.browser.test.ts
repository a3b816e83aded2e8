import { clear, createStore } from 'idb-keyval'
import { afterEach, expect, test } from 'vitest'
import { tinyModelFile } from '../backends/reference/tiny-model-file.ts'
import { isBrasaError } from '../errors.ts'
import type { EngineService } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { loadEngine } from './load.ts'
import { createEngineService } from './service.ts'

/** All that an engine asks of a device or its queue, in the order of the calls; at one of them the device is lost. */
const calls = {
  device: [
    'createBuffer',
    'createBindGroup',
    'createShaderModule',
    'createComputePipelineAsync',
    'createCommandEncoder',
    'pushErrorScope',
    'popErrorScope',
  ],
  queue: ['writeBuffer', 'submit', 'onSubmittedWorkDone'],
} as const

type Method = (...args: unknown[]) => unknown
type Methods = Record<string, Method>

const devicePrototype = GPUDevice.prototype as unknown as Methods
const queuePrototype = GPUQueue.prototype as unknown as Methods
const bufferPrototype = GPUBuffer.prototype as unknown as Methods
const originals: (() => void)[] = []

afterEach(() => {
  for (const restore of originals.splice(0)) restore()
})

/** Counts the calls from now on; before the one numbered `loseAt`, destroys the device that was opened last. */
function watchCalls() {
  const state = { numCalls: 0, loseAt: Number.POSITIVE_INFINITY, device: undefined as GPUDevice | undefined }
  const count = () => {
    if (state.numCalls++ === state.loseAt) state.device?.destroy()
  }
  const wrap = (prototype: Methods, name: string) => {
    const original = prototype[name]!
    prototype[name] = function (this: unknown, ...args: unknown[]) {
      if (this instanceof GPUDevice) state.device = this
      count()
      return original.apply(this, args)
    }
    originals.push(() => {
      prototype[name] = original
    })
  }
  for (const name of calls.device) wrap(devicePrototype, name)
  for (const name of calls.queue) wrap(queuePrototype, name)
  wrap(bufferPrototype, 'mapAsync')
  return state
}

const model = tinyModelFile()
const settings = parseGenerationParameters({ temperature: 0, max_tokens: 16, ignore_eos: true })
let lastStream = 0

const createService = () => createEngineService(loadEngine)

async function load(service: EngineService): Promise<void> {
  const { href } = globalThis.location
  service.load(++lastStream, { model, backend: 'webgpu', catalogueUrl: href, baseUrl: href })
  const stream = lastStream
  while ((await service.next(stream)).length > 0);
}

/** Adds to `tokens` as they arrive, so that those before an error are known. */
async function answer(service: EngineService, tokens: number[] = []): Promise<number[]> {
  const stream = ++lastStream
  service.generate(stream, { input: { prompt: 'What was decided of' }, settings })
  for (;;) {
    const events = await service.next(stream)
    if (events.length === 0) return tokens
    for (const event of events) if (event.type === 'tokens') tokens.push(...event.tokens)
  }
}

/** The error's code, or none; a hang is neither. */
async function outcomeOf(work: Promise<unknown>): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('hangs'), 60_000)
  })
  const code = work.then(
    () => 'none',
    (error: unknown) => (isBrasaError(error) ? error.code : `untyped: ${error}`),
  )
  return Promise.race([code, late]).finally(() => clearTimeout(timer))
}

/** So that the next load measures the variants again. */
const forgetTimes = () => clear(createStore('brasa.backend-choice', 'layer-times'))

/** `count` of `numCalls`, the first and the last among them. */
const spread = (numCalls: number, count: number) =>
  Array.from({ length: count }, (_, i) => Math.round((i * (numCalls - 1)) / (count - 1)))

const acceptable = ['none', 'device_lost']

test('a device lost at any of 10 points of a load: a typed error or none, then the same tokens', async () => {
  const watched = watchCalls()
  await forgetTimes()
  const first = createService()
  await load(first)
  const numCalls = watched.numCalls
  const expected = await answer(first)
  await first.dispose()
  expect(expected).toHaveLength(16)

  let numLost = 0
  for (const point of spread(numCalls, 10)) {
    await forgetTimes()
    const service = createService()
    Object.assign(watched, { numCalls: 0, loseAt: point })
    const loaded = await outcomeOf(load(service))
    // Loads that measure take a few calls more or less: one that ended before the point was not hit.
    if (watched.numCalls > point) expect(acceptable, `point ${point} of ${numCalls}`).toContain(loaded)
    else expect(loaded).toBe('none')
    if (loaded === 'device_lost') numLost += 1
    watched.loseAt = Number.POSITIVE_INFINITY
    // The loss of a device that was just loaded shows in the first answer, and only there.
    const tokens: number[] = []
    const outcome = await outcomeOf(answer(service, tokens))
    expect(acceptable).toContain(outcome)
    if (outcome !== 'none') expect(tokens).toEqual(expected.slice(0, tokens.length))
    expect(outcome === 'none' ? tokens : await answer(service)).toEqual(expected)
    await service.dispose()
  }
  expect(numLost).toBeGreaterThanOrEqual(8)
}, 300_000)

test('a device lost at any of 10 points of an answer: its tokens so far, a typed error, then the same tokens', async () => {
  const watched = watchCalls()
  const service = createService()
  await load(service)
  const expected = await answer(service)
  watched.numCalls = 0
  expect(await answer(service)).toEqual(expected)
  const numCalls = watched.numCalls
  expect(numCalls).toBeGreaterThan(16)

  let numLost = 0
  for (const point of spread(numCalls, 10)) {
    Object.assign(watched, { numCalls: 0, loseAt: point })
    const tokens: number[] = []
    const outcome = await outcomeOf(answer(service, tokens))
    watched.loseAt = Number.POSITIVE_INFINITY
    expect(acceptable, `point ${point} of ${numCalls}`).toContain(outcome)
    expect(tokens).toEqual(expected.slice(0, tokens.length))
    if (outcome === 'none') expect(tokens).toEqual(expected)
    else numLost += 1
    // At the last calls all tokens may have come: the loss is the next answer's.
    const next: number[] = []
    const after = await outcomeOf(answer(service, next))
    expect(acceptable).toContain(after)
    expect(after === 'none' ? next : await answer(service)).toEqual(expected)
  }
  expect(numLost).toBeGreaterThanOrEqual(8)
  await service.dispose()
}, 300_000)
