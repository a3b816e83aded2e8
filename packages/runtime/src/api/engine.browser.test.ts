import { afterEach, describe, expect, test } from 'vitest'
import { tinyModelFile } from '../backends/reference/tiny-model-file.ts'
import { createEngine, type Engine, isBrasaError, listStoredModels, removeStoredModel } from '../index.ts'
import type { EngineOptions, LoadProgress } from './types.ts'

const engines: Engine[] = []

async function create(options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await createEngine({ model: tinyModelFile(), backend: 'reference', ...options })
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

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.dispose()))
  for (const { id } of await listStoredModels()) await removeStoredModel(id)
})

const greedy = { temperature: 0, max_tokens: 24, ignore_eos: true } as const

describe('createEngine', () => {
  test('loads a file into a worker, says how far it is, and answers', async () => {
    const phases: LoadProgress['phase'][] = []
    const engine = await create({ onProgress: ({ phase }) => phases.push(phase) })
    expect([...new Set(phases)]).toEqual(['download', 'verify', 'upload', 'compile', 'ready'])
    expect(engine.model).toMatchObject({
      id: 'file:tiny.gguf',
      name: 'Tiny',
      architecture: 'llama',
      quantisation: 'Q4_1',
      contextLength: 200,
    })
    expect(engine.device).toMatchObject({
      backend: 'reference',
      reason: expect.stringContaining('asked for'),
    })

    const stream = await engine.chat.completions.create({
      messages: [{ role: 'user', content: 'Hello there' }],
      stream: true,
      ...greedy,
    })
    let text = ''
    let usage: unknown
    for await (const chunk of stream) {
      text += chunk.choices[0]!.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
    expect(text.length).toBeGreaterThan(0)
    expect(usage).toMatchObject({ completion_tokens: 24 })
  })

  test('WebGPU and the reference give the same tokens', async () => {
    const [webgpu, reference] = await Promise.all([create({ backend: 'webgpu' }), create()])
    const request = { prompt: 'The same prompt for both', ...greedy }
    const answers = await Promise.all([
      webgpu.completions.create(request),
      reference.completions.create(request),
    ])
    expect(answers[0].choices[0]!.tokens).toHaveLength(24)
    expect(answers[0].choices[0]!.tokens).toEqual(answers[1].choices[0]!.tokens)
    expect((await webgpu.counters()).submits).toBeGreaterThan(0)
    expect((await webgpu.memory()).weightBytes).toBeGreaterThan(0)
  })

  test('a prefix of the conversation is not computed again, and changes nothing', async () => {
    const engine = await create({ backend: 'webgpu' })
    const first = await engine.completions.create({ prompt: 'Once upon a time', ...greedy })
    const prompt = `Once upon a time${first.choices[0]!.text} and then`
    const reused = await engine.completions.create({ prompt, ...greedy })
    const fresh = await (await create()).completions.create({ prompt, ...greedy })
    expect(reused.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(16)
    expect(fresh.usage.prompt_tokens_details.cached_tokens).toBe(0)
    expect(reused.choices[0]!.tokens).toEqual(fresh.choices[0]!.tokens)
  })

  test('WebGPU scores a text as the reference does, and text as its tokens', async () => {
    const text = 'A text to be scored!'
    const scores = []
    for (const backend of ['reference', 'webgpu'] as const) {
      const engine = await create({ backend })
      const progress: number[] = []
      const byText = await engine.score(
        { text, topLogprobs: 2 },
        { onProgress: (done) => progress.push(done) },
      )
      expect(progress.at(-1)).toBe(byText.tokens.length - 1)
      const { tokens } = byText
      const logprobsOf = [...tokens].slice(1).map((token) => [token, 7])
      const byTokens = await engine.score({ tokens, logprobsOf })
      expect(byTokens.scores.map(({ logprob }) => logprob)).toEqual(
        byText.scores.map(({ logprob }) => logprob),
      )
      expect(byTokens.scores.map(({ logprobs }) => logprobs[0])).toEqual(
        byTokens.scores.map(({ logprob }) => logprob),
      )
      scores.push(byText.scores)
    }
    for (const [position, { logprob, topLogprobs }] of scores[0]!.entries()) {
      expect(scores[1]![position]!.logprob).toBeCloseTo(logprob, 3)
      expect(scores[1]![position]!.topLogprobs[0]!.logprob).toBeCloseTo(topLogprobs[0]!.logprob, 3)
    }
  })

  test('tokenizes, special tokens parsed', async () => {
    const engine = await create()
    expect(await engine.tokenize('<|im_start|>a!')).toEqual(Uint32Array.of(1, 5 + 97 - 33, 5))
    const conversation = await engine.tokenize([{ role: 'user', content: '!!!' }])
    expect(String(conversation)).toContain('5,5,5')
  })

  test('keeps what it loaded until told otherwise', async () => {
    await create()
    expect(await listStoredModels()).toMatchObject([{ id: 'file:tiny.gguf', isComplete: true }])
    const again = await create({ model: 'file:tiny.gguf' })
    expect(again.model.id).toBe('file:tiny.gguf')
    await removeStoredModel('file:tiny.gguf')
    expect(await listStoredModels()).toEqual([])
    expect((await failure(create({ model: 'file:tiny.gguf' }))).code).toBe('unknown_model')
  })

  test('a prompt longer than the context is refused with both counts', async () => {
    const engine = await create({ contextLength: 16 })
    const error = await failure(engine.completions.create({ prompt: 'x'.repeat(20), stream: true }))
    expect(error).toMatchObject({
      code: 'context_length_exceeded',
      details: { numTokens: 20, contextLength: 16 },
    })
    const answer = await engine.completions.create({ prompt: 'short', temperature: 0, ignore_eos: true })
    expect(answer.choices[0]!.finish_reason).toBe('length')
    expect(answer.usage.total_tokens).toBe(17)
  })

  test.each<[string, Partial<EngineOptions>, string, RegExp]>([
    ['no GGUF', { model: new File(['no model at all'], 'x.gguf') }, 'not_a_gguf', /./],
    [
      'an unknown backend',
      { backend: 'cuda' as 'auto' },
      'invalid_request',
      /auto, webgpu, wasm, ort, reference/,
    ],
    ['too long a context', { contextLength: 1000 }, 'invalid_request', /trained for 200/],
    [
      'an unknown architecture',
      { model: tinyModelFile('new.gguf', { 'general.architecture': 'newarch' }) },
      'unsupported_architecture',
      /newarch.*llama/,
    ],
    [
      'an unknown tokenizer',
      { model: tinyModelFile('new.gguf', { 'tokenizer.ggml.model': 'newtok' }) },
      'unsupported_tokenizer',
      /newtok.*gpt2/,
    ],
    ['no such server page', { model: '/nothing/here/manifest.json' }, 'http_error', /404/],
  ])('refuses %s', async (_, options, code, message) => {
    const error = await failure(create(options))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(message)
  })

  test('a signal stops a load', async () => {
    const controller = new AbortController()
    const loading = failure(create({ signal: controller.signal, onProgress: () => controller.abort() }))
    expect((await loading).code).toBe('aborted')
  })
})
