import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type OnnxGraph, writeOnnx } from '../formats/onnx.ts'
import {
  createEngine,
  type Engine,
  isBrasaError,
  listStoredModels,
  type OnnxReference,
  removeStoredModel,
  type TensorFeed,
} from '../index.ts'

let engine: Engine

beforeAll(async () => {
  engine = await createEngine({ catalogueUrl: '/models/models.json' })
  return () => engine.dispose()
})

afterEach(async () => {
  for (const { id } of await listStoredModels()) await removeStoredModel(id)
})

const failure = async (promise: Promise<unknown>) => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (isBrasaError(error)) return error
  throw new Error(`not refused, or not by a BrasaError: ${error}`)
}

/** y = x + bias, rows of two. */
const adding: OnnxGraph = {
  name: 'adding',
  nodes: [{ op: 'Add', inputs: ['x', 'bias'], outputs: ['y'] }],
  constants: [
    { name: 'bias', type: 'float32', dims: [2], data: new Uint8Array(Float32Array.of(10, 20).buffer) },
  ],
  inputs: [{ name: 'x', type: 'float32', dims: ['rows', 2] }],
  outputs: [{ name: 'y', type: 'float32', dims: ['rows', 2] }],
}
const beside = (location: string): OnnxGraph => ({
  ...adding,
  constants: [{ ...adding.constants[0]!, data: { location, byteOffset: 4, byteLength: 8 } }],
})
const fileOf = (graph: OnnxGraph, name = 'model.onnx') => new File([writeOnnx(graph).slice()], name)
const biasFile = (name: string) => new File([Float32Array.of(0, 30, 40)], name)

const row = (...values: number[]): { x: TensorFeed } => ({
  x: { dims: [values.length / 2, 2], data: Float32Array.from(values) },
})

async function add(reference: OnnxReference, feeds = row(1, 2)) {
  const session = await engine.sessions.create(reference)
  const { y } = await session.run(feeds)
  await session.release()
  return [...(y!.data as Float32Array)]
}

describe('sessions', () => {
  test('describe a model and run it', async () => {
    const session = await engine.sessions.create(fileOf(adding))
    expect(session.inputs).toEqual([{ name: 'x', type: 'float32', dims: ['rows', 2] }])
    expect(session.outputs).toEqual([{ name: 'y', type: 'float32', dims: ['rows', 2] }])
    const { y } = await session.run(row(1, 2, 3, 4))
    expect(y).toMatchObject({ type: 'float32', dims: [2, 2] })
    expect([...(y!.data as Float32Array)]).toEqual([11, 22, 13, 24])
    await session.release()
    expect((await failure(session.run(row(1, 2)))).code).toBe('disposed')
  })

  test('move whole buffers, and copy parts of one', async () => {
    const session = await engine.sessions.create(fileOf(adding))
    const whole = Float32Array.of(1, 2)
    const part = Float32Array.of(0, 1, 2, 3).subarray(1, 3)
    await session.run({ x: { dims: [1, 2], data: whole } })
    const { y } = await session.run({ x: { dims: [1, 2], data: part } })
    expect(whole.byteLength).toBe(0)
    expect(await failure(session.run({ x: { dims: [1, 2], data: whole } }))).toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/"x" moved to the worker/),
    })
    expect([...part]).toEqual([1, 2])
    expect([...(y!.data as Float32Array)]).toEqual([11, 22])
    await session.release()
  })

  test('are opened again from storage, by name', async () => {
    await add(fileOf(adding, 'kept.onnx'))
    expect(await listStoredModels()).toMatchObject([{ id: 'file:kept.onnx', isComplete: true }])
    expect(await add('file:kept.onnx')).toEqual([11, 22])
  })

  test('take a model from an address', async () => {
    const url = URL.createObjectURL(fileOf(adding))
    expect(await add(url)).toEqual([11, 22])
    URL.revokeObjectURL(url)
  })

  test('find external data among the files given', async () => {
    expect(await add([fileOf(beside('bias.bin')), biasFile('bias.bin')])).toEqual([31, 42])
    expect(await add([biasFile('bias.bin'), fileOf(beside('./bias.bin'))])).toEqual([31, 42])
    const error = await failure(add(fileOf(beside('bias.bin'))))
    expect(error).toMatchObject({ code: 'invalid_request', details: { name: 'bias.bin' } })
  })

  test.each(['../bias.bin', '/etc/passwd', 'a/../../bias.bin', 'C:\\bias.bin', 'https://evil.example/x', ''])(
    'refuse external data at "%s"',
    async (path) => {
      const error = await failure(add([fileOf(beside(path)), biasFile('bias.bin')]))
      expect(error).toMatchObject({ code: 'malformed_model', details: { path } })
      expect(await add(fileOf(adding))).toEqual([11, 22])
    },
  )

  test.each<[string, () => OnnxReference, string, RegExp]>([
    ['a text', () => new File(['no model at all'], 'x.onnx'), 'not_an_onnx', /x\.onnx is not an ONNX model/],
    ['a web page', () => new File(['<!doctype html>'], 'x.onnx'), 'not_an_onnx', /web page/],
    [
      'noise',
      () => new File([Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) >> 3)], 'x.onnx'),
      'not_an_onnx',
      /x\.onnx/,
    ],
    ['a file cut short', () => new File([fileOf(adding).slice(0, 60)], 'x.onnx'), 'not_an_onnx', /x\.onnx/],
    ['a file of 0 bytes', () => new File([], 'x.onnx'), 'truncated_model', /empty/],
    [
      'an operator that there is not',
      () => fileOf({ ...adding, nodes: [{ ...adding.nodes[0]!, op: 'FoldSpace' }] }),
      'unsupported_operator',
      /FoldSpace/,
    ],
    [
      'an operator for another type',
      () => fileOf({ ...adding, nodes: [{ op: 'Not', inputs: ['x'], outputs: ['y'] }] }),
      'malformed_model',
      /Not/,
    ],
    ['a name that is not in the catalogue', () => 'no-such-model', 'unknown_model', /all-minilm-l6-v2/],
    ['a language model', () => 'smollm2-135m-instruct', 'unknown_model', /all-minilm-l6-v2/],
    ['nothing', () => '', 'invalid_request', /reference/],
  ])('refuse %s, and the next one works', async (_, reference, code, message) => {
    const error = await failure(engine.sessions.create(reference()))
    expect(error.message).toMatch(message)
    expect(error.code).toBe(code)
    expect(await add(fileOf(adding))).toEqual([11, 22])
  })

  test('forget what is no model', async () => {
    await failure(add(new File(['no model at all'], 'x.onnx')))
    expect(await listStoredModels()).toEqual([])
  })

  test.each<[string, Record<string, TensorFeed>, RegExp]>([
    ['another name', { z: row(1, 2).x }, /no input "z".*"x" float32\[rows, 2\]/],
    ['none', {}, /"x" is missing/],
    [
      'another type',
      { x: { dims: [1, 2], data: Int32Array.of(1, 2) } },
      /must be a Float32Array, not Int32Array/,
    ],
    [
      'a type that its data is not',
      { x: { type: 'int64', dims: [1, 2], data: Float32Array.of(1, 2) } },
      /float32, not int64/,
    ],
    ['another rank', { x: { dims: [2], data: Float32Array.of(1, 2) } }, /\[rows, 2\], not \[2\]/],
    ['another length', { x: { dims: [1, 3], data: Float32Array.of(1, 2, 3) } }, /\[rows, 2\], not \[1, 3\]/],
    ['too few elements', { x: { dims: [2, 2], data: Float32Array.of(1, 2) } }, /needs 4 elements.*has 2/],
    ['a negative length', { x: { dims: [-1, 2], data: Float32Array.of(1, 2) } }, /whole numbers/],
  ])('refuse feeds with %s, and run the next', async (_, feeds, message) => {
    const session = await engine.sessions.create(fileOf(adding))
    const error = await failure(session.run(feeds))
    expect(error.code).toBe('invalid_request')
    expect(error.message).toMatch(message)
    const { y } = await session.run(row(1, 2))
    expect([...(y!.data as Float32Array)]).toEqual([11, 22])
    await session.release()
  })

  test.each([{ maxBatch: 0 }, { maxBatch: 1.5 }, { maxWaitMs: -1 }, { provider: 'npu' as 'wasm' }])(
    'refuse the option %j',
    async (options) => {
      const error = await failure(engine.sessions.create(fileOf(adding), options))
      expect(error).toMatchObject({
        code: 'invalid_request',
        details: { parameter: Object.keys(options)[0] },
      })
    },
  )

  test('stop when the signal does', async () => {
    const controller = new AbortController()
    const loading = engine.sessions.create(fileOf(adding), {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    expect((await failure(loading)).code).toBe('aborted')
    expect(
      (await failure(engine.sessions.create(fileOf(adding), { signal: AbortSignal.abort() }))).code,
    ).toBe('aborted')
  })

  test('an engine without a language model says so', async () => {
    const request = { messages: [{ role: 'user', content: 'Hi' }] } as const
    const refused = [engine.chat.completions.create(request), engine.tokenize('a'), engine.memory()]
    for (const promise of refused) {
      expect(await failure(promise)).toMatchObject({
        code: 'invalid_request',
        details: { parameter: 'model' },
      })
    }
    expect(() => engine.model).toThrow(/no language model/)
  })

  test('join single rows that come together, and give each its own', async () => {
    const session = await engine.sessions.create(fileOf(adding), { maxBatch: 16, maxWaitMs: 20 })
    const runs = Array.from({ length: 40 }, (_, index) => session.run(row(index, 2 * index)))
    const wrong = failure(session.run({ x: { dims: [1, 2], data: Int32Array.of(1, 2) } }))
    for (const [index, { y }] of (await Promise.all(runs)).entries()) {
      expect(y!.dims).toEqual([1, 2])
      expect([...(y!.data as Float32Array)]).toEqual([10 + index, 20 + 2 * index])
    }
    expect((await wrong).code).toBe('invalid_request')
    await session.release()
  })

  test('end with their engine', async () => {
    const own = await createEngine()
    const session = await own.sessions.create(fileOf(adding))
    const running = session.run(row(1, 2))
    await own.dispose()
    await running.catch(() => {})
    expect((await failure(session.run(row(1, 2)))).code).toBe('disposed')
    expect((await failure(own.sessions.create(fileOf(adding)))).code).toBe('disposed')
  })
})
