import { describe, expect, it } from 'vitest'
import {
  attention,
  contextLength,
  decoderContents,
  describeDecoder,
  failureOf,
  headDim,
  hiddenSize,
  intermediateSize,
  keySize,
  linear,
  mlp,
  querySize,
  rope,
} from './header-fixture.ts'

const fused = {
  'attn_q.weight': undefined,
  'attn_k.weight': undefined,
  'attn_v.weight': undefined,
  'attn_qkv.weight': [querySize + 2 * keySize, hiddenSize],
  'ffn_gate.weight': undefined,
  'ffn_up.weight': [2 * intermediateSize, hiddenSize],
}

describe('phi3', () => {
  it('views queries, keys and values in one tensor, and gate before up in another', async () => {
    const { blocks } = await describeDecoder('phi3', {
      block: fused,
      metadata: { 'attention.sliding_window': 33 },
    })
    const rows = (name: string, first: number, count: number) => ({ ...linear(name), rows: { first, count } })
    expect(blocks[0]).toEqual({
      attention: {
        ...attention,
        query: rows('blk.0.attn_qkv', 0, querySize),
        key: rows('blk.0.attn_qkv', querySize, keySize),
        value: rows('blk.0.attn_qkv', querySize + keySize, keySize),
        ...{ window: 33, rope: rope('half', 10_000) },
      },
      mlp: {
        ...mlp,
        gate: rows('blk.0.ffn_up', 0, intermediateSize),
        up: rows('blk.0.ffn_up', intermediateSize, intermediateSize),
      },
    })
  })

  it('turns a part of each head where the file says so', async () => {
    const { blocks } = await describeDecoder('phi3', {
      block: fused,
      metadata: { 'rope.dimension_count': 6 },
    })
    expect(blocks[0]!.attention.rope).toEqual(rope('half', 10_000, 6))
  })

  it('names a fused tensor of another shape', async () => {
    const block = { ...fused, 'ffn_up.weight': [intermediateSize, hiddenSize] }
    const error = await failureOf(decoderContents('phi3', { block }))
    expect(error.message).toMatch(/"blk.0.ffn_up.weight" has the shape \(56, 40\).*\(112, 40\)/)
  })
})

describe('longrope', () => {
  const short = [1, 1.5, 2, 2.5]
  const long = [1, 4, 16, 64]
  const tensors = {
    'rope_factors_short.weight': Float32Array.from(short),
    'rope_factors_long.weight': Float32Array.from(long),
  }
  const originalLength = 32
  const options = {
    block: fused,
    tensors,
    metadata: { 'rope.scaling.original_context_length': originalLength, 'rope.scaling.attn_factor': 1.25 },
  }
  const divided = (factors: readonly number[]) =>
    rope('half', 10_000).inverseFrequencies.map((frequency, i) => frequency / factors[i]!)

  it.each([
    ['short', originalLength, short],
    ['long', originalLength + 1, long],
    ['long', undefined, long],
  ])('takes the %s factors for a context of %s', async (_, contextLength, factors) => {
    const { blocks } = await describeDecoder('phi3', { ...options, contextLength })
    expect(blocks[0]!.attention.rope).toEqual({
      ...{ pairing: 'half', dim: headDim, magnitude: 1.25 },
      inverseFrequencies: divided(factors),
    })
  })

  it('computes the attention factor where the file has none', async () => {
    const metadata = { ...options.metadata, 'rope.scaling.attn_factor': undefined }
    const { blocks } = await describeDecoder('phi3', { ...options, metadata })
    // A context stretched four times: sqrt(1 + ln 4 / ln 32).
    expect(contextLength / originalLength).toBe(4)
    expect(blocks[0]!.attention.rope!.magnitude).toBeCloseTo(Math.sqrt(1.4), 12)
  })

  it('has no attention factor where the context is not stretched', async () => {
    const metadata = { 'rope.scaling.original_context_length': contextLength }
    const { blocks } = await describeDecoder('phi3', { ...options, metadata })
    expect(blocks[0]!.attention.rope!.magnitude).toBeUndefined()
    expect(blocks[0]!.attention.rope!.inverseFrequencies).toEqual(divided(short))
  })

  it.each([
    [{ 'rope.scaling.attn_factor': 0 }],
    [{ 'rope.scaling.original_context_length': 1, 'rope.scaling.attn_factor': undefined }],
  ])('refuses an impossible attention factor: %o', async (more) => {
    const metadata = { ...options.metadata, ...more }
    const error = await failureOf(decoderContents('phi3', { ...options, metadata }))
    expect(error.code).toBe('malformed_model')
    expect(error.message).toContain('multiplied by')
  })

  it('names the list that is missing', async () => {
    const { 'rope_factors_long.weight': _, ...rest } = tensors
    const metadata = { ...options.metadata, 'rope.scaling.type': 'longrope' }
    const error = await failureOf(decoderContents('phi3', { ...options, metadata, tensors: rest }))
    expect(error.message).toContain('"rope_factors_long.weight" is missing')
  })
})
