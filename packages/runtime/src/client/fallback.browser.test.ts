import { afterEach, describe, expect, test } from 'vitest'
import { isBrasaError } from '../errors.ts'
import type { BackendChoice, EngineWarning, GenerateRequest } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { type AnswerEvent, createEngineClient, type EngineClient } from './engine-client.ts'

const spawned: Worker[] = []
const clients: EngineClient[] = []
const warnings: EngineWarning[] = []

const spawn = () => {
  const worker = new Worker(new URL('../engine/fake-worker.ts', import.meta.url), { type: 'module' })
  spawned.push(worker)
  return worker
}

async function createClient(model: string, backend: BackendChoice = 'auto'): Promise<EngineClient> {
  const request = {
    model,
    backend,
    catalogueUrl: new URL('models.json', location.href).href,
    baseUrl: location.href,
  }
  const onWarning = (warning: EngineWarning) => warnings.push(warning)
  const client = await createEngineClient({ request, spawn, onWarning })
  clients.push(client)
  return client
}

const ask = (prompt: string): GenerateRequest => ({
  input: { prompt },
  settings: parseGenerationParameters({ seed: 1, max_tokens: 60 }),
})

/** The answer as far as it came, and the error that cut it, if any. */
async function answerOf(client: EngineClient, prompt = 'hello') {
  const events: AnswerEvent[] = []
  let code: string | undefined
  try {
    for await (const event of client.generate(ask(prompt), new AbortController().signal)) events.push(event)
  } catch (error) {
    if (!isBrasaError(error)) throw error
    code = error.code
  }
  const text = events.map((event) => (event.type === 'tokens' ? event.text : '')).join('')
  return { text, code, types: events.map(({ type }) => type), last: events.at(-1) }
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return isBrasaError(error) ? error.code : `no typed error: ${error}`
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.dispose()))
  for (const worker of spawned.splice(0)) worker.terminate()
  warnings.length = 0
})

describe('the fallback', () => {
  test('takes over in a worker of its own where WebGPU does not start, and says why', async () => {
    const client = await createClient('no adapter')
    expect(client.loaded.device).toMatchObject({
      backend: 'wasm',
      reason: 'WebGPU could not be used: There is no adapter.',
    })
    expect(spawned).toHaveLength(2)
    expect(warnings).toEqual([])
    expect((await answerOf(client)).text).toHaveLength(60)
  })

  test('goes on to ONNX Runtime where WebAssembly does not start either', async () => {
    const client = await createClient('nothing but ONNX Runtime')
    expect(client.loaded.device).toMatchObject({
      backend: 'ort',
      reason: 'WebAssembly could not be used: No room.',
    })
    expect(spawned).toHaveLength(3)
    expect((await answerOf(client)).text).toHaveLength(60)
  })

  test('may compute for longer than a GPU’s worker may be silent', async () => {
    const client = await createClient('no adapter')
    expect((await answerOf(client, 'compute for 3 s')).text).toHaveLength(60)
    expect(spawned).toHaveLength(2)
  })

  test('never takes over from a backend that was asked for by name', async () => {
    expect(await failureOf(createClient('no adapter', 'webgpu'))).toBe('webgpu_unavailable')
    expect(spawned).toHaveLength(1)
    const client = await createClient('loses its GPU', 'webgpu')
    for (let time = 0; time < 4; time++) expect((await answerOf(client)).code).toBe('device_lost')
    expect(client.loaded.device.backend).not.toBe('wasm')
  })

  test('goes on with the answer that the third loss within a minute cut, token for token', async () => {
    const whole = await answerOf(await createClient('fake'))
    expect(whole.text).toHaveLength(60)
    spawned.length = 0

    const client = await createClient('loses its GPU')
    for (let time = 0; time < 2; time++) {
      const cut = await answerOf(client)
      expect(cut.code).toBe('device_lost')
      expect(whole.text.startsWith(cut.text)).toBe(true)
      expect(client.loaded.device.backend).not.toBe('wasm')
    }
    expect(warnings).toEqual([])

    const moved = await answerOf(client)
    expect(moved.code).toBeUndefined()
    expect(moved.text).toBe(whole.text)
    expect(moved.types.filter((type) => type === 'accepted')).toHaveLength(1)
    expect(moved.last).toMatchObject({
      type: 'done',
      finishReason: 'length',
      usage: { prompt_tokens: 5, completion_tokens: 60 },
    })
    expect(client.loaded.device).toMatchObject({ backend: 'wasm' })
    expect(client.loaded.device.reason).toMatch(/three times within a minute/)
    expect(warnings).toMatchObject([
      { code: 'backend_changed', message: expect.stringContaining('WebAssembly goes on from here') },
    ])
    expect(spawned).toHaveLength(2)

    expect((await answerOf(client)).text).toBe(whole.text)
    expect(warnings).toHaveLength(1)
  })

  test('takes along the answers that wait in the worker it replaces', async () => {
    const client = await createClient('loses its GPU')
    for (let time = 0; time < 2; time++) await answerOf(client)
    const answers = await Promise.all(['one', 'two', 'three'].map((prompt) => answerOf(client, prompt)))
    for (const { text, code, types } of answers) {
      expect(code).toBeUndefined()
      expect(text).toHaveLength(60)
      expect(types.filter((type) => type === 'accepted')).toHaveLength(1)
    }
    expect(spawned).toHaveLength(2)
    expect(warnings).toHaveLength(1)
  })

  test('counts what streams side by side lose together as one loss', async () => {
    const client = await createClient('loses its GPU')
    const cut = await Promise.all(['one', 'two', 'three', 'four'].map((prompt) => answerOf(client, prompt)))
    expect(cut.map(({ code }) => code)).toEqual(Array(4).fill('device_lost'))
    expect((await answerOf(client)).code).toBe('device_lost')
    expect(client.loaded.device.backend).not.toBe('wasm')
    expect((await answerOf(client)).text).toHaveLength(60)
    expect(client.loaded.device.backend).toBe('wasm')
    expect(warnings).toHaveLength(1)
  })

  test.each(['answer', 'question about memory'])(
    'is told of where auto itself takes another backend after a loss, by the next %s',
    async (what) => {
      const client = await createClient('loses its GPU for good')
      expect((await answerOf(client)).code).toBe('device_lost')
      expect(warnings).toEqual([])
      if (what !== 'answer') await client.memory()
      expect((await answerOf(client)).text).toHaveLength(60)
      expect(client.loaded.device).toMatchObject({ backend: 'wasm', reason: 'The GPU is gone.' })
      expect(warnings).toMatchObject([
        {
          code: 'backend_changed',
          message: expect.stringMatching(/^The GPU is gone\. WebAssembly goes on from here/),
        },
      ])
      expect(spawned).toHaveLength(1)
    },
  )

  test('takes over where losses leave not one token', async () => {
    const client = await createClient('loses its GPU at once')
    expect((await answerOf(client)).code).toBe('device_lost')
    expect((await answerOf(client)).text).toHaveLength(60)
    expect(client.loaded.device.backend).toBe('wasm')
  })
})
