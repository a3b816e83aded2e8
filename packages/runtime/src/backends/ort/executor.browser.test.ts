import { describe, expect, test } from 'vitest'
import type { Executor } from '../executor.ts'
import { createReferenceExecutor } from '../reference/executor.ts'
import { tinyModel } from '../reference/tiny-model.ts'
import type { BlockSpec, TransformerSpec } from '../transformer-spec.ts'
import { createOrtExecutor } from './executor.ts'

const prompt = Uint32Array.from({ length: 90 }, (_, i) => (i * 29 + 3) % 131)

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

function withAttention(spec: TransformerSpec, change: (block: BlockSpec, index: number) => BlockSpec) {
  return { ...spec, blocks: spec.blocks.map(change) }
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
    const divergence = expected.reduce(
      (sum, logprob, token) => sum + Math.exp(logprob) * (logprob - actual[token]!),
      0,
    )
    expect(divergence).toBeGreaterThan(0)
    expect(divergence).toBeLessThan(0.01)
  })
})

describe('options of a description', () => {
  test('turns only the leading components of a head', async () => {
    const { spec, weights } = tinyModel()
    const inverseFrequencies = spec.blocks[0]!.attention.rope!.inverseFrequencies.slice(0, 5)
    const rope = { pairing: 'adjacent', dim: 10, inverseFrequencies } as const
    const partial = withAttention(spec, (block) => ({
      ...block,
      attention: { ...block.attention, rope, scale: 0.3 },
    }))
    const expected = await logprobsOf(await createReferenceExecutor(partial, weights))
    const actual = await logprobsOf(await createOrtExecutor(partial, weights))
    for (const [token, logprob] of expected.entries()) expect(actual[token]).toBeCloseTo(logprob, 3)
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
