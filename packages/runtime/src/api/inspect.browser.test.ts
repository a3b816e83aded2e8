import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tinyModelFile } from '../backends/reference/tiny-model-file.ts'
import { createEngine, type Engine, isBrasaError, listStoredModels, removeStoredModel } from '../index.ts'
import type { EngineOptions } from './types.ts'

const engines: Engine[] = []

async function create(options: EngineOptions = {}): Promise<Engine> {
  const engine = await createEngine(options)
  engines.push(engine)
  return engine
}

const failure = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (isBrasaError(error)) return error
  throw new Error(`not refused, or not by a BrasaError: ${error}`)
}

const smollm2 = 'smollm2-135m-instruct'
const catalogueUrl = '/models/models.json'

const removeAll = async () => {
  for (const { id } of await listStoredModels()) await removeStoredModel(id)
}

// Tests of other files may have left some.
beforeEach(removeAll)
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.dispose()))
  await removeAll()
})

describe('engine.inspect', () => {
  test('tells what a model is, before anything of it is stored', async () => {
    const engine = await create({ catalogueUrl })
    const inspection = await engine.inspect(smollm2)
    expect(inspection).toMatchObject({
      id: smollm2,
      name: 'SmolLM2 135M Instruct',
      architecture: 'llama',
      parameters: 134_515_008,
      quantisation: 'Q4_1',
      contextLength: 8192,
      licence: 'Apache-2.0',
      template: { system: true, tools: false, thinking: false },
      sizeBytes: 98_362_432,
      storedBytes: 0,
      fetchBytes: 98_362_432,
    })
    expect(await listStoredModels()).toEqual([])
    const { webgpu, ort } = inspection.memory
    for (const { weightBytes, kvCacheBytes, otherBytes, totalBytes } of [webgpu, ort]) {
      expect(totalBytes).toBe(weightBytes + kvCacheBytes + otherBytes)
    }
    expect(webgpu.contextLength).toBe(8192)
    expect(webgpu.problem).toBeUndefined()
  })

  test('says nothing is to be fetched of a file, and nothing again once a model is stored', async () => {
    const engine = await create()
    const inspection = await engine.inspect(tinyModelFile(), { contextLength: 100 })
    expect(inspection).toMatchObject({ name: 'Tiny', fetchBytes: 0, storedBytes: 0 })
    expect(inspection.memory.ort.contextLength).toBe(100)
    await create({ model: tinyModelFile(), backend: 'reference' })
    const { sizeBytes, storedBytes } = await engine.inspect('file:tiny.gguf')
    expect(storedBytes).toBe(sizeBytes)
  })

  test.each([
    ['a mixture of experts', { 'general.architecture': 'qwen3moe' }, /qwen3moe/],
    ['an encoder', { 'general.architecture': 'bert' }, /bert/],
    ['an unknown architecture', { 'general.architecture': 'newarch' }, /newarch.*llama/],
    ['experts in a known one', { 'llama.expert_count': 8 }, /expert/],
  ])('refuses %s by name, and so does a load before it stores anything', async (_, metadata, name) => {
    const file = tinyModelFile('other.gguf', metadata as Record<string, string | number>)
    const engine = await create()
    const errors = [
      await failure(engine.inspect(file)),
      await failure(create({ model: file, backend: 'reference' })),
    ]
    for (const error of errors) {
      expect(error.code).toBe('unsupported_architecture')
      expect(error.message).toMatch(name)
    }
    expect(await listStoredModels()).toEqual([])
  })

  test.each([
    ['a model that is nowhere', 'no-such-model', {}, 'unknown_model'],
    ['a reference that is none', 7 as never, {}, 'invalid_request'],
    ['a context of no length', smollm2, { contextLength: 0 }, 'invalid_request'],
    ['a context beyond the model’s', smollm2, { contextLength: 10_000 }, 'invalid_request'],
    ['an aborted signal', smollm2, { signal: AbortSignal.abort() }, 'aborted'],
  ])('refuses %s', async (_, model, options, code) => {
    const engine = await create({ catalogueUrl })
    expect((await failure(engine.inspect(model, options))).code).toBe(code)
  })

  test('a signal stops it', async () => {
    const engine = await create({ catalogueUrl })
    const controller = new AbortController()
    const inspecting = failure(engine.inspect(smollm2, { signal: controller.signal }))
    controller.abort()
    expect((await inspecting).code).toBe('aborted')
  })

  test.each(['webgpu', 'ort'] as const)(
    'estimates the memory of %s within a tenth',
    async (backend) => {
      const contextLength = 256
      const engine = await create({ model: smollm2, backend, catalogueUrl, contextLength })
      // A sequence that fills the context.
      const prompt = 'word '.repeat(contextLength - 12)
      await engine.completions.create({ prompt, temperature: 0, ignore_eos: true })
      const { weightBytes, kvCacheBytes, otherBytes } = await engine.memory()
      const allocated = weightBytes + kvCacheBytes + otherBytes
      const { memory } = await engine.inspect(smollm2, { contextLength })
      const ratio = memory[backend].totalBytes / allocated
      expect(ratio).toBeGreaterThan(0.9)
      expect(ratio).toBeLessThan(1.1)
    },
    180_000,
  )
})
