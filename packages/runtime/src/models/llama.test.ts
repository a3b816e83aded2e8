import { describe, expect, it } from 'vitest'
import {
  attention,
  biased,
  contextLength,
  describeDecoder,
  headDim,
  hiddenSize,
  intermediateSize,
  keySize,
  linear,
  mlp,
  norm,
  numKvHeads,
  querySize,
  rope,
  vocabSize,
} from './header-fixture.ts'

describe('llama', () => {
  it('is a pre-norm decoder with a SwiGLU MLP and a tied head', async () => {
    const spec = await describeDecoder('llama')
    expect(spec.blocks).toHaveLength(2)
    expect(spec.blocks[0]).toEqual({ attention: { ...attention, rope: rope('adjacent', 10_000) }, mlp })
    expect(spec.blocks[1]!.attention.query).toEqual(linear('blk.1.attn_q'))
    expect({ ...spec, blocks: [] }).toEqual({
      architecture: 'llama',
      ...{ hiddenSize, vocabSize, contextLength, blocks: [] },
      embedding: linear('token_embd'),
      head: { norm: norm('output_norm'), ...linear('token_embd') },
    })
    expect(spec.blocks[0]!.attention.rope!.inverseFrequencies).toBe(
      spec.blocks[1]!.attention.rope!.inverseFrequencies,
    )
  })

  it('has a head of its own, and biases, where the file has them', async () => {
    const { head, blocks } = await describeDecoder('llama', {
      tensors: { 'output.weight': [vocabSize, hiddenSize] },
      block: {
        'attn_q.bias': [querySize],
        'attn_output.bias': [hiddenSize],
        'ffn_gate.bias': [intermediateSize],
        'ffn_down.bias': [hiddenSize],
      },
    })
    expect(head.weight).toBe('output.weight')
    expect(blocks[0]!.attention).toMatchObject({
      query: biased('blk.0.attn_q'),
      key: linear('blk.0.attn_k'),
      output: biased('blk.0.attn_output'),
    })
    expect(blocks[0]!.mlp).toMatchObject({
      gate: biased('blk.0.ffn_gate'),
      up: linear('blk.0.ffn_up'),
      down: biased('blk.0.ffn_down'),
    })
  })

  it.each([
    [32, 32],
    [contextLength, undefined],
    [0, undefined],
  ])('with a sliding window of %i has the window %s', async (length, window) => {
    const { blocks } = await describeDecoder('llama', { metadata: { 'attention.sliding_window': length } })
    expect(blocks.map(({ attention }) => attention.window)).toEqual([window, window])
  })

  it('takes the head size from the hidden size and as many key-value heads as heads', async () => {
    const square = { 'attn_q.weight': [40, 40], 'attn_k.weight': [40, 40], 'attn_v.weight': [40, 40] }
    const { blocks } = await describeDecoder('llama', {
      metadata: {
        'attention.head_count': 5,
        'attention.head_count_kv': undefined,
        'attention.key_length': undefined,
        'attention.value_length': undefined,
      },
      block: { ...square, 'attn_output.weight': [40, 40] },
    })
    expect(blocks[0]!.attention).toMatchObject({ numHeads: 5, numKvHeads: 5, headDim: 8 })
  })

  it('takes sizes that are listed for every layer', async () => {
    const { blocks } = await describeDecoder('llama', {
      metadata: { 'attention.head_count_kv': [numKvHeads, numKvHeads] },
    })
    expect(blocks[0]).toEqual({ attention: { ...attention, rope: rope('adjacent', 10_000) }, mlp })
  })
})

describe('qwen2', () => {
  const biases = { 'attn_q.bias': [querySize], 'attn_k.bias': [keySize], 'attn_v.bias': [keySize] }

  it('is llama with biases on queries, keys and values, and RoPE on halves', async () => {
    const { blocks } = await describeDecoder('qwen2', {
      metadata: { 'rope.freq_base': 1_000_000 },
      block: biases,
    })
    expect(blocks[0]).toEqual({
      attention: {
        ...attention,
        query: biased('blk.0.attn_q'),
        key: biased('blk.0.attn_k'),
        value: biased('blk.0.attn_v'),
        rope: rope('half', 1_000_000),
      },
      mlp,
    })
  })

  it.each(Object.keys(biases))('needs %s', async (name) => {
    const described = describeDecoder('qwen2', { block: { ...biases, [name]: undefined } })
    await expect(described).rejects.toThrow(`"blk.0.${name}" is missing`)
  })
})

describe('qwen3', () => {
  it('normalises queries and keys by head', async () => {
    const { blocks } = await describeDecoder('qwen3', {
      block: { 'attn_q_norm.weight': [headDim], 'attn_k_norm.weight': [headDim] },
    })
    expect(blocks[0]).toEqual({
      attention: {
        ...attention,
        queryNorm: { ...norm('blk.0.attn_q_norm'), over: 'head' },
        keyNorm: { ...norm('blk.0.attn_k_norm'), over: 'head' },
        rope: rope('half', 10_000),
      },
      mlp,
    })
  })
})

describe('olmo2', () => {
  it('normalises outputs only, and queries and keys as whole vectors', async () => {
    const { blocks } = await describeDecoder('olmo2', {
      block: {
        'attn_norm.weight': undefined,
        'ffn_norm.weight': undefined,
        'attn_q_norm.weight': [querySize],
        'attn_k_norm.weight': [keySize],
        'post_attention_norm.weight': [hiddenSize],
        'post_ffw_norm.weight': [hiddenSize],
      },
    })
    expect(blocks[0]).toEqual({
      attention: {
        ...{ ...attention, norm: undefined },
        queryNorm: { ...norm('blk.0.attn_q_norm'), over: 'all' },
        keyNorm: { ...norm('blk.0.attn_k_norm'), over: 'all' },
        rope: rope('half', 10_000),
        postNorm: norm('blk.0.post_attention_norm'),
      },
      mlp: { ...mlp, norm: undefined, postNorm: norm('blk.0.post_ffw_norm') },
    })
  })
})

describe('granite', () => {
  it('multiplies embeddings, scores, residual branches and logits', async () => {
    const { embedding, blocks, head } = await describeDecoder('granite', {
      metadata: {
        embedding_scale: 12,
        residual_scale: 0.25,
        'attention.scale': 0.0625,
        logit_scale: 8,
      },
    })
    expect(embedding.scale).toBe(12)
    expect(blocks[0]).toEqual({
      attention: { ...attention, scale: 0.0625, residualScale: 0.25, rope: rope('adjacent', 10_000) },
      mlp: { ...mlp, residualScale: 0.25 },
    })
    expect(head).toEqual({ norm: norm('output_norm'), ...linear('token_embd'), scale: 1 / 8 })
  })

  it('is llama without its multipliers', async () => {
    const { blocks } = await describeDecoder('granite', { metadata: { residual_scale: 0 } })
    expect(blocks[0]).toEqual({ attention: { ...attention, rope: rope('adjacent', 10_000) }, mlp })
  })

  it('keeps what is dense of a hybrid, with and without positions', async () => {
    const hybrid = { 'ssm.conv_kernel': 4, 'ssm.inner_size': 80, expert_count: 0, expert_used_count: 0 }
    const described = async (hasRope: boolean) => {
      const metadata = { ...hybrid, 'rope.scaling.finetuned': hasRope }
      return (await describeDecoder('granite', { metadata })).blocks[0]!.attention.rope
    }
    expect(await described(true)).toEqual(rope('adjacent', 10_000))
    expect(await described(false)).toBeUndefined()
  })
})

describe('smollm3', () => {
  it('has no RoPE in every fourth layer', async () => {
    const { blocks } = await describeDecoder('smollm3', { numBlocks: 9 })
    const expected = rope('adjacent', 10_000)
    expect(blocks[0]).toEqual({ attention: { ...attention, rope: expected }, mlp })
    expect(blocks.flatMap(({ attention }, index) => (attention.rope ? [] : [index]))).toEqual([3, 7])
  })
})
