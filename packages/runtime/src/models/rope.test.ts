import { describe, expect, it } from 'vitest'
import { decoderContents, describeDecoder, failureOf, type HeaderOptions, rope } from './header-fixture.ts'

const plain = [...rope('adjacent', 10_000).inverseFrequencies]

async function frequencies(options: HeaderOptions): Promise<number[]> {
  const { blocks } = await describeDecoder('llama', options)
  expect(blocks[0]!.attention.rope!.magnitude).toBeUndefined()
  return [...blocks[0]!.attention.rope!.inverseFrequencies]
}

describe('rope scaling', () => {
  it.each<HeaderOptions['metadata']>([
    {},
    { 'rope.scaling.type': 'none' },
    { 'rope.scaling.type': 'none', 'rope.scaling.factor': 4 },
    { 'rope.scaling.original_context_length': 64, 'rope.scaling.attn_factor': 1 },
  ])('is none: %o', async (metadata) => {
    expect(await frequencies({ metadata })).toEqual(plain)
  })

  it.each<HeaderOptions['metadata']>([
    { 'rope.scaling.type': 'linear', 'rope.scaling.factor': 4 },
    { 'rope.scaling.factor': 4 },
    { 'rope.scale_linear': 4 },
  ])('is linear: %o', async (metadata) => {
    expect(await frequencies({ metadata })).toEqual(plain.map((frequency) => frequency / 4))
  })

  it('is llama3 by listed factors', async () => {
    const listed = Float32Array.of(1, 1.5, 4, 8)
    const expected = plain.map((frequency, i) => frequency / listed[i]!)
    const tensors = { 'rope_freqs.weight': listed }
    expect(await frequencies({ tensors })).toEqual(expected)
    expect(await frequencies({ tensors, metadata: { 'rope.scaling.type': 'llama3' } })).toEqual(expected)
  })

  it('is llama3 by parameters', async () => {
    const scaled = await frequencies({
      metadata: {
        'rope.freq_base': 500_000,
        'rope.scaling.type': 'llama3',
        'rope.scaling.factor': 8,
        'rope.scaling.low_freq_factor': 1,
        'rope.scaling.high_freq_factor': 4,
        'rope.scaling.original_context_length': 512,
      },
    })
    const unscaled = rope('adjacent', 500_000).inverseFrequencies
    const ratios = scaled.map((frequency, i) => unscaled[i]! / frequency)
    // In 512 positions the first pair turns 81 times, the second 3 times and the others less than once.
    expect([ratios[0], ratios[2], ratios[3]]).toEqual([1, 8, 8])
    const turns = (512 * unscaled[1]!) / (2 * Math.PI)
    const smooth = (turns - 1) / (4 - 1)
    expect(smooth).toBeGreaterThan(0)
    expect(1 / ratios[1]!).toBeCloseTo((1 - smooth) / 8 + smooth, 12)
  })

  it.each<[string, HeaderOptions]>([
    ['factors of zero', { tensors: { 'rope_freqs.weight': new Float32Array(4) } }],
    [
      'factors that are not numbers',
      { tensors: { 'rope_freqs.weight': new Float32Array(4).fill(Number.NaN) } },
    ],
    ['too few factors', { tensors: { 'rope_freqs.weight': Float32Array.of(1, 2, 3) } }],
    ['a negative factor', { metadata: { 'rope.scaling.factor': -2 } }],
    ['a base of zero', { metadata: { 'rope.freq_base': 0 } }],
    ['rotation of more than a head', { metadata: { 'rope.dimension_count': 16 } }],
    ['rotation of an odd part of a head', { metadata: { 'rope.dimension_count': 7 } }],
  ])('refuses %s', async (_, options) => {
    expect((await failureOf(decoderContents('llama', options))).code).toBe('malformed_model')
  })

  it.each<[string, HeaderOptions['metadata']]>([
    ['yarn', { 'rope.scaling.type': 'yarn', 'rope.scaling.factor': 4 }],
    ['rope.scaling.attn_factor', { 'rope.scaling.attn_factor': 2 }],
    ['rope.scaling.yarn_ext_factor', { 'rope.scaling.yarn_ext_factor': 1 }],
  ])('refuses %s by name', async (name, metadata) => {
    const error = await failureOf(decoderContents('llama', { metadata }))
    expect(error.code).toBe('unsupported_architecture')
    expect(error.message).toContain(name)
  })
})
