import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tinyModel } from '../backends/reference/tiny-model.ts'
import { isBrasaError } from '../errors.ts'
import {
  type GgufContents,
  type WritableTensor,
  type WritableValue,
  writeGguf,
} from '../formats/gguf-writer.ts'
import {
  decoderContents,
  describeContents,
  describeFile,
  failureOf,
  type HeaderOptions,
  headDim,
  hiddenSize,
  intermediateSize,
  keySize,
  querySize,
} from './header-fixture.ts'

const refusal = (options: HeaderOptions, architecture = 'llama') =>
  failureOf(decoderContents(architecture, options))

describe('describeModel', () => {
  it('describes the tiny model of tests as it describes itself', async () => {
    const { contents, spec } = tinyModel({ tied: false })
    const epsilon = Math.fround(1e-5)
    const withEpsilon = JSON.parse(JSON.stringify(spec, numbers), (key, value) =>
      key === 'epsilon' ? epsilon : value,
    )
    const described = await describeContents(contents)
    expect(JSON.parse(JSON.stringify(described, numbers))).toEqual(withEpsilon)
  })

  it('names a tensor that is missing', async () => {
    const error = await refusal({ block: { 'ffn_up.weight': undefined } })
    expect(error.code).toBe('malformed_model')
    expect(error.message).toContain('"blk.0.ffn_up.weight" is missing')
  })

  it('names a tensor of another shape, with both shapes', async () => {
    const error = await refusal({ metadata: { feed_forward_length: 64 } })
    expect(error.code).toBe('malformed_model')
    expect(error.message).toMatch(/"blk.0.ffn_gate.weight" has the shape \(56, 40\).*\(64, 40\)/)
    expect(error.details).toMatchObject({ expected: '64, 40', found: '56, 40' })
  })

  it.each([
    ['attn_q.bias', [3], '(3)', `(${querySize})`],
    ['attn_norm.weight', [hiddenSize, 1], '(40, 1)', '(40)'],
    ['attn_q.weight', [querySize], '(48)', '(48, 40)'],
  ])('names the shapes of %s', async (name, shape, found, expected) => {
    const error = await refusal({ block: { [name]: shape } })
    expect(error.message).toContain(`"blk.0.${name}" has the shape ${found}`)
    expect(error.message).toContain(`it should be ${expected}`)
  })

  it('refuses more blocks than there are, however many', async () => {
    const error = await refusal({ metadata: { block_count: 2 ** 31 - 1 } })
    // The fixture writes two.
    expect(error.message).toContain('"blk.2.')
  })

  it.each<[string, HeaderOptions['metadata']]>([
    ['heads that do not divide', { 'attention.head_count': 7, 'attention.key_length': undefined }],
    ['groups that do not divide', { 'attention.head_count_kv': 4 }],
    ['a size that is not a number', { 'attention.head_count': 'three' }],
    ['a missing size', { embedding_length: undefined }],
    ['a missing epsilon', { 'attention.layer_norm_rms_epsilon': undefined }],
    ['no context', { context_length: 0 }],
    ['a negative epsilon', { 'attention.layer_norm_rms_epsilon': -1e-5 }],
  ])('refuses %s', async (_, metadata) => {
    expect((await refusal({ metadata })).code).toBe('malformed_model')
  })

  it.each<[string, WritableValue]>([
    ['attention.value_length', 64],
    ['attention.key_length', 260],
    ['attention.key_length', 6],
    ['attention.head_count_kv', [2, 1]],
    ['attention.scale', 0.5],
    ['attention.clamp_kqv', 8],
    ['logit_scale', 2],
    ['attn_logit_softcapping', 50],
    ['an.option.of.tomorrow', 'yes'],
    ['a.list', [0, 1]],
  ])('refuses %s %s rather than ignore it', async (key, value) => {
    const error = await refusal({ metadata: { [key]: value } })
    expect(error.code).toBe('unsupported_architecture')
    const isSize = key === 'attention.key_length'
    expect(error.message).toContain(isSize ? `${value} components` : key)
  })

  it.each<[string, WritableValue]>([
    ['vocab_size', 30],
    ['attention.causal', true],
    ['attention.clamp_kqv', 0],
    ['an.option.of.tomorrow', false],
    ['a.list', [0, 0]],
  ])('accepts %s %s, which changes nothing', async (key, value) => {
    const { blocks } = await describeContents(decoderContents('llama', { metadata: { [key]: value } }))
    expect(blocks).toHaveLength(2)
  })

  it.each(['output.bias', 'v.patch_embd.weight', 'blk.2.attn_q.weight'])(
    'refuses the tensor %s by name rather than ignore it',
    async (name) => {
      const error = await refusal({ tensors: { [name]: [4] } })
      expect(error.code).toBe('unsupported_architecture')
      expect(error.message).toContain(`"${name}"`)
    },
  )
})

describe('other kinds of models', () => {
  it('are named, with the architectures that run', async () => {
    const error = await refusal({}, 'rwkv7')
    expect(error.code).toBe('unsupported_architecture')
    expect(error.message).toMatch(/"rwkv7".*llama, qwen2, .*smollm3/)
    expect(error.details.known).toContain('phi3')
  })

  it.each<[string, string, HeaderOptions]>([
    ['by architecture', 'qwen3moe', {}],
    ['by number', 'llama', { metadata: { expert_count: 8, expert_used_count: 2 } }],
    ['by tensor', 'granite', { block: { 'ffn_up_exps.weight': [4, intermediateSize, hiddenSize] } }],
  ])('are mixtures of experts, told %s', async (_, architecture, options) => {
    const error = await refusal(options, architecture)
    expect(error.code).toBe('unsupported_architecture')
    expect(error.message).toContain(`"${architecture}") is a mixture of experts`)
  })

  it.each<[string, HeaderOptions]>([
    ['bert', { metadata: { block_count: undefined } }],
    ['nomic-bert-moe', {}],
    ['gemma-embedding', {}],
    ['llama', { metadata: { 'attention.causal': false } }],
  ])('are encoders: %s', async (architecture, options) => {
    const error = await refusal(options, architecture)
    expect(error.code).toBe('unsupported_architecture')
    expect(error.message).toContain(`"${architecture}") is encoder-only`)
  })
})

describe('damaged headers', () => {
  const headNorms = { 'attn_q_norm.weight': [headDim], 'attn_k_norm.weight': [headDim] }
  const postNorms = { 'post_attention_norm.weight': [hiddenSize], 'post_ffw_norm.weight': [hiddenSize] }
  const headers: readonly GgufContents[] = [
    decoderContents('llama', { tensors: { 'rope_freqs.weight': Float32Array.of(1, 1, 2, 8) } }),
    decoderContents('qwen2', {
      block: { 'attn_q.bias': [querySize], 'attn_k.bias': [keySize], 'attn_v.bias': [keySize] },
    }),
    decoderContents('gemma2', { block: postNorms, metadata: { attn_logit_softcapping: 50 } }),
    decoderContents('gemma3', {
      block: { ...postNorms, ...headNorms },
      metadata: { 'attention.sliding_window': 16, 'attention.sliding_window_pattern': [true, false] },
    }),
    decoderContents('phi3', {
      block: {
        'attn_q.weight': undefined,
        'attn_k.weight': undefined,
        'attn_v.weight': undefined,
        'attn_qkv.weight': [querySize + 2 * keySize, hiddenSize],
        'ffn_gate.weight': undefined,
        'ffn_up.weight': [2 * intermediateSize, hiddenSize],
      },
      tensors: {
        'rope_factors_short.weight': Float32Array.of(1, 1, 1, 1),
        'rope_factors_long.weight': Float32Array.of(1, 2, 3, 4),
      },
      metadata: { 'rope.scaling.original_context_length': 32 },
    }),
    decoderContents('granite', { metadata: { residual_scale: 0.25, 'rope.scaling.finetuned': true } }),
  ]

  async function answers(file: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      const { blocks } = await describeFile(file)
      for (const { attention, mlp } of blocks) {
        const rope = attention.rope?.inverseFrequencies ?? [1]
        const { scale, headDim, softCap = 1, window = 1 } = attention
        const numbers = [
          scale,
          headDim,
          mlp.intermediateSize,
          window,
          ...rope,
          attention.rope?.magnitude ?? 1,
        ]
        // A negative multiplier is unheard of, and can be computed.
        expect(numbers.every((number) => Math.abs(number) > 0 && Number.isFinite(number))).toBe(true)
        expect(softCap).not.toBe(0)
      }
    } catch (error) {
      if (!isBrasaError(error) || error.code === 'internal') throw error
    }
  }

  it('have a description or end with a BrasaError, whatever their values', async () => {
    for (const contents of headers) expect((await describeContents(contents)).blocks).toHaveLength(2)
    const value: fc.Arbitrary<WritableValue> = fc.oneof(
      fc.constantFrom(0, 1, 2, 3, 2 ** 31, 2 ** 32 - 1, 1e30, -1, 0.5, Number.NaN, true, false, '', 'linear'),
      fc.constantFrom('longrope', 'llama3'),
      fc.constantFrom([], [1, 1], [2, 3], [true, false]),
    )
    const keys = [...new Set(headers.flatMap(({ metadata }) => Object.keys(metadata).map(withoutPrefix)))]
    const more = ['rope.scaling.type', 'rope.scaling.factor', 'rope.freq_base', 'rope.dimension_count']
    const change = fc.record({ key: fc.constantFrom(...keys, ...more), value })
    const shape = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 3 })
    const reshape = fc.record({ at: fc.nat(40), shape: fc.option(shape, { nil: undefined }) })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...headers),
        fc.array(change, { maxLength: 3 }),
        fc.option(reshape, { nil: undefined }),
        async ({ metadata, tensors }, changes, reshape) => {
          const changed = { ...metadata }
          for (const { key, value } of changes) changed[`${metadata['general.architecture']}.${key}`] = value
          await answers(writeGguf({ metadata: changed, tensors: reshaped(tensors, reshape) }))
        },
      ),
      { numRuns: 1500 },
    )
  }, 60_000)

  it('have a description or end with a BrasaError, whatever their bytes', async () => {
    const files = headers.map((contents) => writeGguf(contents))
    const flips = fc.array(fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) }), {
      minLength: 1,
      maxLength: 4,
    })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), flips, async (file, flips) => {
        const bytes = file.slice()
        const headerLength = Buffer.from(file).lastIndexOf('blk.1.') + 60
        for (const { at, mask } of flips) bytes[at % headerLength]! ^= mask
        await answers(bytes)
      }),
      { numRuns: 1000 },
    )
  }, 60_000)
})

function numbers(_: string, value: unknown): unknown {
  return value instanceof Float64Array ? [...value] : value
}

const withoutPrefix = (key: string) => key.slice(key.indexOf('.') + 1)

/** The tensors with one of another shape, or without it. */
function reshaped(
  tensors: readonly WritableTensor[],
  change: { readonly at: number; readonly shape: readonly number[] | undefined } | undefined,
): readonly WritableTensor[] {
  if (change === undefined) return tensors
  const { at, shape } = change
  return tensors.flatMap((tensor, index) => {
    if (index !== at % tensors.length) return [tensor]
    if (shape === undefined) return []
    const bytes = new Uint8Array(4 * shape.reduce((product, length) => product * length, 1))
    return [{ ...tensor, shape, bytes }]
  })
}
