import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tinyModel } from '../backends/reference/tiny-model.ts'
import { type BrasaError, isBrasaError } from '../errors.ts'
import { readGguf } from '../formats/gguf.ts'
import { type GgufContents, type WritableTensor, writeGguf } from '../formats/gguf-writer.ts'
import { describeModel } from './architectures.ts'

const tiny = tinyModel()

const describeContents = (contents: GgufContents) => describeFile(writeGguf(contents))

async function describeFile(bytes: Uint8Array<ArrayBuffer>) {
  const header = await readGguf({
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
  })
  return describeModel(header, async (name) => {
    const { byteOffset, byteLength } = header.tensors.get(name)!
    return bytes.subarray(byteOffset, byteOffset + byteLength)
  })
}

const withMetadata = (metadata: GgufContents['metadata'], tensors: readonly WritableTensor[] = []) => ({
  metadata: { ...tiny.contents.metadata, ...metadata },
  tensors: [...tiny.contents.tensors, ...tensors],
})

const floats = (name: string, values: readonly number[]): WritableTensor => ({
  name,
  type: 'F32',
  shape: [values.length],
  bytes: new Uint8Array(Float32Array.from(values).buffer),
})

async function failure(contents: GgufContents): Promise<BrasaError> {
  return describeContents(contents).then(
    () => expect.fail('expected an error'),
    (error) => error,
  )
}

async function frequencies(contents: GgufContents): Promise<number[]> {
  return [...(await describeContents(contents)).blocks[0]!.attention.rope!.inverseFrequencies]
}

describe('describeModel', () => {
  it('describes a llama as its paper does', async () => {
    const spec = await describeContents(tiny.contents)
    const epsilon = Math.fround(1e-5)
    for (const [index, block] of spec.blocks.entries()) {
      const expected = tiny.spec.blocks[index]!
      expect(block.attention).toEqual({
        ...expected.attention,
        norm: { ...expected.attention.norm, epsilon },
      })
      expect(block.mlp).toEqual({ ...expected.mlp, norm: { ...expected.mlp.norm, epsilon } })
    }
    expect({ ...spec, blocks: [] }).toEqual({
      ...tiny.spec,
      blocks: [],
      head: { norm: { weight: 'output_norm.weight', epsilon }, weight: 'token_embd.weight' },
    })
    expect(spec.blocks[0]!.attention.rope).toBe(spec.blocks[1]!.attention.rope)
  })

  it('takes a head of its own where there is one', async () => {
    const spec = await describeContents(tinyModel({ tied: false }).contents)
    expect(spec.head.weight).toBe('output.weight')
  })

  it('names an unknown architecture and those known', async () => {
    const error = await failure(withMetadata({ 'general.architecture': 'rwkv7' }))
    expect(error.code).toBe('unsupported_architecture')
    expect(error.message).toMatch(/"rwkv7".*llama/)
  })

  it('names a tensor that is missing', async () => {
    const tensors = tiny.contents.tensors.filter(({ name }) => name !== 'blk.1.ffn_up.weight')
    const error = await failure({ ...tiny.contents, tensors })
    expect(error.code).toBe('malformed_model')
    expect(error.message).toContain('"blk.1.ffn_up.weight" is missing')
  })

  it('names a tensor of another shape, with both shapes', async () => {
    const error = await failure(withMetadata({ 'llama.feed_forward_length': 192 }))
    expect(error.code).toBe('malformed_model')
    expect(error.message).toMatch(/"blk.0.ffn_gate.weight" has the shape \(160, 96\).*\(192, 96\)/)
  })

  it('refuses more blocks than there are, however many', async () => {
    expect((await failure(withMetadata({ 'llama.block_count': 2 ** 31 - 1 }))).message).toContain('blk.2.')
  })

  it.each([
    ['heads that do not divide', { 'llama.attention.head_count': 5 }],
    ['groups that do not divide', { 'llama.attention.head_count_kv': 2 }],
    ['a missing size', { 'general.architecture': 'llama', 'llama.attention.head_count': 'three' }],
    ['rotation of more than a head', { 'llama.rope.dimension_count': 64 }],
  ])('refuses %s', async (_, metadata) => {
    expect((await failure(withMetadata(metadata))).code).toBe('malformed_model')
  })

  it.each([
    ['attention.value_length', 64],
    ['logit_scale', 2],
    ['rope.scaling.type', 'yarn'],
    ['rope.scaling.attn_factor', 2],
  ])('refuses %s by name rather than ignore it', async (key, value) => {
    const error = await failure(withMetadata({ [`llama.${key}`]: value }))
    expect(error.code).toBe('unsupported_architecture')
    expect(error.message + JSON.stringify(error.details)).toContain(key)
  })

  it('answers a damaged header with a description or a BrasaError', async () => {
    const file = writeGguf(tiny.contents)
    const headerLength = Buffer.from(file).indexOf('output_norm.weight') + 60
    const flips = fc.array(fc.record({ at: fc.nat(headerLength), mask: fc.integer({ min: 1, max: 255 }) }), {
      minLength: 1,
      maxLength: 4,
    })
    await fc.assert(
      fc.asyncProperty(flips, async (flips) => {
        const bytes = file.slice()
        for (const { at, mask } of flips) bytes[at]! ^= mask
        try {
          const spec = await describeFile(bytes)
          expect(spec.blocks.length).toBeLessThanOrEqual(2)
        } catch (error) {
          if (!isBrasaError(error) || error.code === 'internal') throw error
        }
      }),
      { numRuns: 1000 },
    )
  }, 60_000)
})

describe('rope scaling', () => {
  const plain = Array.from({ length: 16 }, (_, i) => 10_000 ** (-i / 16))

  it('is none by default', async () => {
    expect(await frequencies(tiny.contents)).toEqual(plain)
  })

  it.each<GgufContents['metadata']>([
    { 'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': 4 },
    { 'llama.rope.scale_linear': 4 },
  ])('is linear: %o', async (metadata) => {
    expect(await frequencies(withMetadata(metadata))).toEqual(plain.map((frequency) => frequency / 4))
  })

  it('is llama3 by listed factors', async () => {
    const factors = Array.from({ length: 16 }, (_, i) => 1 + i / 2)
    expect(await frequencies(withMetadata({}, [floats('rope_freqs.weight', factors)]))).toEqual(
      plain.map((frequency, i) => frequency / factors[i]!),
    )
  })

  it('is llama3 by parameters', async () => {
    const scaled = await frequencies(
      withMetadata({
        'llama.rope.freq_base': 500_000,
        'llama.rope.scaling.type': 'llama3',
        'llama.rope.scaling.factor': 8,
        'llama.rope.scaling.low_freq_factor': 1,
        'llama.rope.scaling.high_freq_factor': 4,
        'llama.rope.scaling.original_context_length': 8192,
      }),
    )
    const unscaled = Array.from({ length: 16 }, (_, i) => 500_000 ** (-i / 16))
    const ratios = scaled.map((frequency, i) => unscaled[i]! / frequency)
    // Wavelengths under 8192 / 4 keep their frequency, those over 8192 / 1 are eight times slower, one lies between.
    expect(ratios.slice(0, 8).every((ratio) => ratio === 1)).toBe(true)
    expect(ratios.slice(9)).toEqual(Array(7).fill(8))
    const turns = (8192 * unscaled[8]!) / (2 * Math.PI)
    const smooth = (turns - 1) / (4 - 1)
    expect(1 / ratios[8]!).toBeCloseTo((1 - smooth) / 8 + smooth, 12)
  })

  it('refuses factors that are not positive', async () => {
    const error = await failure(withMetadata({}, [floats('rope_freqs.weight', Array(16).fill(0))]))
    expect(error.code).toBe('malformed_model')
  })
})
