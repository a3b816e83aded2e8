import { describe, expect, it } from 'vitest'
import {
  attention,
  contextLength,
  describeDecoder,
  headDim,
  hiddenSize,
  linear,
  mlp,
  norm,
  numHeads,
  rope,
} from './header-fixture.ts'

const gelu = { ...mlp, activation: 'gelu_tanh' }
const postNorms = { 'post_attention_norm.weight': [hiddenSize], 'post_ffw_norm.weight': [hiddenSize] }
const headNorms = { 'attn_q_norm.weight': [headDim], 'attn_k_norm.weight': [headDim] }

describe('gemma', () => {
  it('scales embeddings and gates with GELU', async () => {
    const { embedding, blocks, head } = await describeDecoder('gemma')
    expect(embedding).toEqual({ ...linear('token_embd'), scale: Math.sqrt(hiddenSize) })
    expect(blocks[0]).toEqual({ attention: { ...attention, rope: rope('half', 10_000) }, mlp: gelu })
    expect(head).toEqual({ norm: norm('output_norm'), ...linear('token_embd') })
  })
})

describe('gemma2', () => {
  const gemma2 = { block: postNorms, metadata: { 'attention.sliding_window': 16 } }

  it('caps scores and logits and normalises both sides of each part', async () => {
    const { embedding, blocks, head } = await describeDecoder('gemma2', {
      ...gemma2,
      metadata: { ...gemma2.metadata, attn_logit_softcapping: 40, final_logit_softcapping: 20 },
    })
    expect(embedding.scale).toBe(Math.sqrt(hiddenSize))
    expect(blocks[0]).toEqual({
      attention: {
        ...attention,
        ...{ softCap: 40, window: 16, rope: rope('half', 10_000) },
        postNorm: norm('blk.0.post_attention_norm'),
      },
      mlp: { ...gelu, postNorm: norm('blk.0.post_ffw_norm') },
    })
    expect(head.softCap).toBe(20)
  })

  it("has a window on every other layer, and the paper's numbers where the file has none", async () => {
    const { blocks, head } = await describeDecoder('gemma2', {
      ...gemma2,
      numBlocks: 5,
      metadata: { context_length: 8192 },
    })
    expect(blocks.map(({ attention }) => attention.window)).toEqual([4096, undefined, 4096, undefined, 4096])
    expect(blocks[0]!.attention.softCap).toBe(50)
    expect(head.softCap).toBe(30)
  })

  it('caps nothing where the file says 0', async () => {
    const metadata = { attn_logit_softcapping: 0, final_logit_softcapping: 0 }
    const { blocks, head } = await describeDecoder('gemma2', { ...gemma2, metadata })
    expect([blocks[0]!.attention.softCap, head.softCap]).toEqual([undefined, undefined])
  })

  it('scales by hiddenSize / numHeads in the 27B', async () => {
    const { blocks } = await describeDecoder('gemma2', { ...gemma2, numBlocks: 46 })
    expect(blocks[0]!.attention.scale).toBe(1 / Math.sqrt(hiddenSize / numHeads))
  })
})

describe('gemma3', () => {
  const metadata = { 'attention.sliding_window': 16, 'rope.freq_base': 1_000_000 }
  const gemma3 = { block: { ...postNorms, ...headNorms }, metadata, numBlocks: 7 }

  it('has five local layers to one global, each kind with its base', async () => {
    const { embedding, blocks, head } = await describeDecoder('gemma3', gemma3)
    expect(embedding.scale).toBe(Math.sqrt(hiddenSize))
    expect(head).toEqual({ norm: norm('output_norm'), ...linear('token_embd') })
    expect(blocks[0]).toEqual({
      attention: {
        ...attention,
        queryNorm: { ...norm('blk.0.attn_q_norm'), over: 'head' },
        keyNorm: { ...norm('blk.0.attn_k_norm'), over: 'head' },
        ...{ window: 16, rope: rope('half', 10_000) },
        postNorm: norm('blk.0.post_attention_norm'),
      },
      mlp: { ...gelu, postNorm: norm('blk.0.post_ffw_norm') },
    })
    const windows = blocks.map(({ attention }) => attention.window)
    expect(windows).toEqual([16, 16, 16, 16, 16, undefined, 16])
    expect(blocks[5]!.attention.rope).toEqual(rope('half', 1_000_000))
    expect(blocks[6]!.attention.rope).toBe(blocks[0]!.attention.rope)
  })

  it('slows down global layers only', async () => {
    const { blocks } = await describeDecoder('gemma3', {
      ...gemma3,
      metadata: { ...metadata, 'rope.scaling.type': 'linear', 'rope.scaling.factor': 8 },
    })
    const plain = rope('half', 1_000_000)
    expect(blocks[0]!.attention.rope).toEqual(rope('half', 10_000))
    expect(blocks[5]!.attention.rope).toEqual({
      ...plain,
      inverseFrequencies: plain.inverseFrequencies.map((frequency) => frequency / 8),
    })
  })

  const locals = async (more: Record<string, number | boolean[] | undefined>) => {
    const { blocks } = await describeDecoder('gemma3', { ...gemma3, metadata: { ...metadata, ...more } })
    const local = rope('half', 10_000).inverseFrequencies[1]
    return blocks.map(({ attention }) => attention.rope!.inverseFrequencies[1] === local)
  }

  it('takes another period, or a list of layers, from the file', async () => {
    expect(await locals({ 'attention.sliding_window_pattern': 3 })).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
      true,
    ])
    const listed = [false, true, true, false, false, true, false]
    expect(await locals({ 'attention.sliding_window_pattern': listed })).toEqual(listed)
  })

  it('is global throughout without a window, and keeps its local base where the window holds the context', async () => {
    expect(await locals({ 'attention.sliding_window': undefined })).toEqual(Array(7).fill(false))
    const wide = { ...metadata, 'attention.sliding_window': contextLength }
    const { blocks } = await describeDecoder('gemma3', { ...gemma3, metadata: wide })
    expect(blocks[0]!.attention.window).toBeUndefined()
    expect(blocks[0]!.attention.rope).toEqual(rope('half', 10_000))
  })

  it('takes the local base and a soft-cap on logits from the file', async () => {
    const { blocks, head } = await describeDecoder('gemma3', {
      ...gemma3,
      metadata: { ...metadata, 'rope.freq_base_swa': 5000, final_logit_softcapping: 25 },
    })
    expect(blocks[0]!.attention.rope).toEqual(rope('half', 5000))
    expect(head.softCap).toBe(25)
  })

  it('scales by hiddenSize / numHeads in the 27B', async () => {
    const { blocks } = await describeDecoder('gemma3', { ...gemma3, numBlocks: 62 })
    expect(blocks[0]!.attention.scale).toBe(1 / Math.sqrt(hiddenSize / numHeads))
  })

  it.each([[[true, false]], [-1], ['every']])('refuses the pattern %j', async (pattern) => {
    const described = describeDecoder('gemma3', {
      ...gemma3,
      metadata: { ...metadata, 'attention.sliding_window_pattern': pattern },
    })
    await expect(described).rejects.toMatchObject({ code: 'malformed_model' })
  })
})
