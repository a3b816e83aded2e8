import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import fixture from '../engine/fixtures/minilm-embeddings.json'
import expected from '../engine/fixtures/sentiment/expected.json'
import headUrl from '../engine/fixtures/sentiment/onnx/model.onnx?url&no-inline'
import { createEngine, type Engine, isBrasaError, listStoredModels, removeStoredModel } from '../index.ts'

const model = 'all-minilm-l6-v2'
const catalogueUrl = '/models/models.json'
const hiddenSize = 384
let engine: Engine

beforeAll(async () => {
  engine = await createEngine({ catalogueUrl })
  await engine.embeddings.create({ model, input: 'warm up' })
}, 120_000)

afterAll(async () => {
  await engine.dispose()
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

/** What ONNX Runtime for Python makes of the same file. */
const references = new Float32Array(
  Uint8Array.from(atob(fixture.embeddings), (char) => char.charCodeAt(0)).buffer,
)

function expectReference(embedding: Float32Array, index: number): void {
  const reference = references.subarray(index * hiddenSize, (index + 1) * hiddenSize)
  let product = 0
  let off = 0
  for (const [column, value] of embedding.entries()) {
    product += value * reference[column]!
    off = Math.max(off, Math.abs(value - reference[column]!))
  }
  expect(embedding).toHaveLength(hiddenSize)
  expect(product / Math.hypot(...embedding) / Math.hypot(...reference)).toBeGreaterThanOrEqual(0.9999)
  expect(off).toBeLessThanOrEqual(2e-3)
  expect(Math.hypot(...embedding)).toBeCloseTo(1, 5)
}

describe('embeddings', () => {
  test('equal those of ONNX Runtime for Python, each text alone', async () => {
    expect(fixture.texts).toHaveLength(50)
    for (const [index, text] of fixture.texts.entries()) {
      const { data, usage } = await engine.embeddings.create({ model, input: text, truncate: true })
      expectReference(data[0]!.embedding, index)
      const numTokens = fixture.tokens[index]!.length
      expect(usage).toEqual({ prompt_tokens: numTokens, total_tokens: numTokens })
    }
  })

  test('equal them in padded batches, in the order of the input', async () => {
    const response = await engine.embeddings.create({ model, input: fixture.texts })
    expect(response).toMatchObject({ object: 'list', model })
    expect(response.data.map(({ index }) => index)).toEqual(fixture.texts.map((_, index) => index))
    for (const { embedding, index } of response.data) expectReference(embedding, index)
  })

  test('equal them on the GPU', async () => {
    const index = fixture.tokens.findIndex(({ length }) => length <= 8)
    const { data } = await engine.embeddings.create({
      model,
      input: fixture.texts[index]!,
      provider: 'webgpu',
    })
    expectReference(data[0]!.embedding, index)
  })

  // What is saved is reading the weights once for many rows; from some ten tokens a text on, one text alone already keeps
  // the processor busy, and the same arithmetic is left to do.
  test('of 64 short texts come faster at once than one by one', async () => {
    const texts = Array.from({ length: 64 }, (_, index) => `number ${index}`)
    const oneByOne = async () => {
      for (const input of texts) await engine.embeddings.create({ model, input })
    }
    const together = () => engine.embeddings.create({ model, input: texts })
    const timed = async (run: () => Promise<unknown>) => {
      const start = performance.now()
      await run()
      return performance.now() - start
    }
    await together()
    // In turns, four times and more where something else has the machine's other core, and the best of each.
    let alone = Number.POSITIVE_INFINITY
    let batched = Number.POSITIVE_INFINITY
    for (let round = 0; round < 4 || (round < 60 && batched >= alone); round++) {
      alone = Math.min(alone, await timed(oneByOne))
      batched = Math.min(batched, await timed(together))
    }
    console.log(`64 texts: ${alone.toFixed(0)} ms one by one, ${batched.toFixed(0)} ms together`)
    expect(alone / batched).toBeGreaterThan(1)
  })

  test('refuse what is too long, or cut it when told to', async () => {
    const long = 'word '.repeat(300)
    const error = await failure(engine.embeddings.create({ model, input: ['short', long] }))
    expect(error).toMatchObject({
      code: 'context_length_exceeded',
      details: { index: 1, numTokens: 302, contextLength: 256 },
    })
    const cut = await engine.embeddings.create({ model, input: long, truncate: true })
    expect(cut.usage.prompt_tokens).toBe(256)
    const [whole] = (await engine.embeddings.create({ model, input: 'word '.repeat(254) })).data
    expect(cut.data[0]!.embedding).toEqual(whole!.embedding)
  })

  test('take an empty text, and refuse what is none', async () => {
    const { data } = await engine.embeddings.create({ model, input: '' })
    expect(Math.hypot(...data[0]!.embedding)).toBeCloseTo(1, 5)
    for (const input of [[], [1], undefined, {}]) {
      const error = await failure(engine.embeddings.create({ model, input: input as string }))
      expect(error).toMatchObject({ code: 'invalid_request', details: { parameter: 'input' } })
    }
  })

  test('refuse a model that makes none', async () => {
    const error = await failure(engine.embeddings.create({ model: headUrl, input: 'a' }))
    expect(error).toMatchObject({ code: 'invalid_request', details: { name: 'tokenizer.json' } })
  })
})

describe('classify', () => {
  test('labels texts with a head on embeddings, its weights and labels beside it', async () => {
    const { data } = await engine.classify({
      model: headUrl,
      embedder: model,
      input: expected.map(({ text }) => text),
    })
    expect(data).toHaveLength(expected.length)
    for (const [index, { label, logits }] of expected.entries()) {
      const [negative, positive] = logits as [number, number]
      const probability = 1 / (1 + Math.exp(negative - positive))
      const answer = data[index]!
      expect(answer.label).toBe(label)
      expect(answer.scores.find((score) => score.label === 'POSITIVE')!.score).toBeCloseTo(probability, 2)
      expect(answer.scores[0]!.score).toBe(answer.score)
      expect(answer.scores.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 6)
    }
  })

  test('gives each label its own score with sigmoid', async () => {
    const [{ text, logits }] = expected as [(typeof expected)[0]]
    const request = { model: headUrl, embedder: model, input: text, activation: 'sigmoid' } as const
    const { data } = await engine.classify(request)
    const score = data[0]!.scores.find(({ label }) => label === 'POSITIVE')!.score
    expect(score).toBeCloseTo(1 / (1 + Math.exp(-logits[1]!)), 2)
  })

  test('says that a head needs its embedder', async () => {
    const error = await failure(engine.classify({ model: headUrl, input: 'a' }))
    expect(error).toMatchObject({ code: 'invalid_request', details: { parameter: 'embedder' } })
  })
})

test('a Silero VAD session runs with its state fed back', async () => {
  const session = await engine.sessions.create('silero-vad')
  expect(session.inputs).toEqual([
    { name: 'input', type: 'float32', dims: [null, null] },
    { name: 'state', type: 'float32', dims: [2, null, 128] },
    { name: 'sr', type: 'int64', dims: [] },
  ])
  async function listen(samplesOf: (window: number) => Float32Array, feedBack: boolean): Promise<number[]> {
    let state: Float32Array = new Float32Array(2 * 128)
    const speech: number[] = []
    for (let window = 0; window < 20; window++) {
      const { output, stateN } = await session.run({
        input: { dims: [1, 512], data: samplesOf(window) },
        state: { dims: [2, 1, 128], data: state },
        sr: { dims: [], data: BigInt64Array.of(16_000n) },
      })
      speech.push((output!.data as Float32Array)[0]!)
      state = feedBack ? (stateN!.data as Float32Array) : new Float32Array(2 * 128)
    }
    return speech
  }
  const silence = await listen(() => new Float32Array(512), true)
  for (const probability of silence) expect(probability).toBeLessThan(0.2)
  // A voice-like buzz: 120 Hz and its harmonics, getting louder and softer.
  const buzz = (window: number) =>
    Float32Array.from({ length: 512 }, (_, sample) => {
      const time = (window * 512 + sample) / 16_000
      let value = 0
      for (let harmonic = 1; harmonic <= 20; harmonic++)
        value += Math.sin(2 * Math.PI * 120 * harmonic * time) / harmonic
      return 0.2 * value * (1 + Math.sin(2 * Math.PI * 4 * time))
    })
  const withState = await listen(buzz, true)
  const without = await listen(buzz, false)
  expect(withState[0]).toBe(without[0])
  expect(withState.some((probability, window) => Math.abs(probability - without[window]!) > 0.01)).toBe(true)
  for (const probability of withState) expect(probability >= 0 && probability <= 1).toBe(true)
  await session.release()
})
