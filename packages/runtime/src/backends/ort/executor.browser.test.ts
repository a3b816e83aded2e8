import { describe, expect, test } from 'vitest'
import type { Executor } from '../executor.ts'
import { createReferenceExecutor } from '../reference/executor.ts'
import { optionModel, optionModels } from '../reference/option-models.ts'
import { tinyModel } from '../reference/tiny-model.ts'
import { createOrtExecutor } from './executor.ts'

const prompt = Uint32Array.from({ length: 90 }, (_, i) => (i * 29 + 3) % 97)

/** Log-probability of every token behind the prompt. */
async function logprobsOf(executor: Executor): Promise<number[]> {
  const sequence = executor.createSequence()
  await executor.append(sequence, prompt.subarray(0, -1))
  const { vocabSize } = executor.spec
  const [result] = await executor.step([{ sequence, token: prompt.at(-1)!, topLogprobs: vocabSize }])
  const logprobs = new Array<number>(vocabSize)
  for (const { token, logprob } of result!.topLogprobs) logprobs[token] = logprob
  executor.free(sequence)
  executor.dispose()
  return logprobs
}

/** Kullback-Leibler, in nats. */
function divergenceOf(actual: readonly number[], expected: readonly number[]): number {
  return expected.reduce((sum, logprob, token) => sum + Math.exp(logprob) * (logprob - actual[token]!), 0)
}

describe('linear layers in int8', () => {
  test('are near f32, at a quarter of the bytes, and say how near', async () => {
    const { spec, weights } = tinyModel()
    const exact = await createOrtExecutor(spec, weights, { linears: 'f32' })
    const int8 = await createOrtExecutor(spec, weights, { linears: 'int8' })
    expect(exact.device.linears).toMatchObject({ format: 'f32', relativeError: 0 })
    const { format, weightBytes, relativeError } = int8.device.linears!
    expect(format).toBe('int8')
    expect(weightBytes).toBeLessThan(exact.device.linears!.weightBytes * 0.28)
    expect(relativeError).toBeGreaterThan(1e-3)
    expect(relativeError).toBeLessThan(0.03)
    const expected = await logprobsOf(exact)
    const actual = await logprobsOf(int8)
    expect(divergenceOf(actual, expected)).toBeGreaterThan(0)
    expect(divergenceOf(actual, expected)).toBeLessThan(0.01)
  })

  test.each([
    'biases of every linear, in F16',
    'fused tensors',
    'fused tensors of Q4_K and Q5_0',
    'everything at once',
  ])('take %s', async (name) => {
    const { spec, weights } = optionModel(optionModels[name]!)
    const expected = await logprobsOf(await createReferenceExecutor(spec, weights))
    const actual = await logprobsOf(await createOrtExecutor(spec, weights, { linears: 'int8' }))
    expect(divergenceOf(actual, expected)).toBeGreaterThan(0)
    expect(divergenceOf(actual, expected)).toBeLessThan(0.01)
  })
})

describe('loading', () => {
  test('names a tensor that is not among the weights', async () => {
    const { spec, weights } = tinyModel()
    const tensors = new Map(weights.tensors)
    tensors.delete('blk.1.ffn_up.weight')
    await expect(createOrtExecutor(spec, { ...weights, tensors })).rejects.toMatchObject({
      code: 'malformed_model',
      details: { tensor: 'blk.1.ffn_up.weight' },
    })
  })

  test('names a tensor of another shape, and both shapes', async () => {
    const { spec, weights } = tinyModel()
    const name = 'blk.1.ffn_down.weight'
    const tensors = new Map(weights.tensors).set(name, { ...weights.tensors.get(name)!, shape: [160, 96] })
    await expect(createOrtExecutor(spec, { ...weights, tensors })).rejects.toMatchObject({
      code: 'malformed_model',
      details: { tensor: name, shape: '[160, 96]', expected: '[96, 160]' },
    })
  })

  test('names a fused tensor that has too few rows', async () => {
    const { spec, weights } = optionModel({ fused: true })
    const name = 'blk.1.attn_qkv.weight'
    const tensor = weights.tensors.get(name)!
    const shape = [tensor.shape[0]! - 4, tensor.shape[1]!]
    const tensors = new Map(weights.tensors).set(name, { ...tensor, shape })
    await expect(createOrtExecutor(spec, { ...weights, tensors })).rejects.toMatchObject({
      code: 'malformed_model',
      details: { tensor: name, expected: `[${tensor.shape.join(', ')}]` },
    })
  })

  test('says when the weights end too early', async () => {
    const { spec, weights } = tinyModel()
    async function* half() {
      let pieces = 0
      for await (const piece of weights.stream()) if (pieces++ < 5) yield piece
    }
    await expect(createOrtExecutor(spec, { ...weights, stream: half })).rejects.toMatchObject({
      code: 'truncated_model',
    })
  })

  test('stops when asked to, and tells of every byte', async () => {
    const { spec, weights } = tinyModel()
    const controller = new AbortController()
    const stopped = createOrtExecutor(spec, weights, {
      signal: controller.signal,
      onUpload: () => controller.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' })
    const events: (string | number)[] = []
    const executor = await createOrtExecutor(spec, weights, {
      onPhase: (phase) => events.push(phase),
      onUpload: (loadedBytes) => events.push(loadedBytes),
    })
    const total = [...weights.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
    expect(events[0]).toBe('upload')
    expect(events.slice(-2)).toEqual([total, 'compile'])
    const { weightBytes, otherBytes } = executor.memory()
    expect(weightBytes).toBeGreaterThan(executor.device.linears!.weightBytes)
    expect(otherBytes).toBeGreaterThan(0)
    executor.dispose()
  })
})
