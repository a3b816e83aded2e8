import { BrasaError } from '../errors.ts'
import type { ModelFile } from './model-file.ts'

/** How a model reaches positions beyond those it was first trained on. */
interface RopeScaling {
  readonly slowdown: Slowdown
  /** Multiplies cosines and sines. */
  readonly magnitude?: number | undefined
}

/** What the frequency of one pair is divided by. */
export type Slowdown = (index: number, frequency: number) => number

const known = ['none', 'linear', 'llama3', 'longrope']

/**
 * The scaling of a file's rotary embedding, `dim` components wide:
 * - linear (position interpolation, Chen et al. 2023): one factor for all frequencies;
 * - llama3 (Llama 3.1's frequency-dependent scaling): one each, listed in `rope_freqs.weight` or given by parameters;
 * - longrope (Ding et al. 2024): one each, listed for short and for long contexts.
 * @throws BrasaError `unsupported_architecture` naming any other scaling, `malformed_model`
 */
export async function ropeScaling(file: ModelFile, dim: number): Promise<RopeScaling> {
  const { metadata } = file
  // Before types had names there was `scale_linear`.
  const factor =
    metadata.number('rope.scaling.factor', () => metadata.number('rope.scale_linear', () => 0)) || 1
  const type = metadata.string('rope.scaling.type', () => {
    // Phi-3's converter writes longrope's tensors without naming it.
    if (file.has('rope_factors_long.weight')) return 'longrope'
    return factor === 1 ? 'none' : 'linear'
  })
  if (type === 'longrope') return longrope(file, dim)

  file.refuseUnless('rope.scaling.attn_factor', 0, 1)
  const listed = file.has('rope_freqs.weight')
    ? await file.vector('rope_freqs.weight', dim / 2)
    : new Float64Array(dim / 2).fill(1)
  switch (type) {
    case 'none':
      return { slowdown: (i) => listed[i]! }
    case 'linear':
      return { slowdown: (i) => factor * listed[i]! }
    case 'llama3':
      return { slowdown: file.has('rope_freqs.weight') ? (i) => listed[i]! : llama3(file) }
    default:
      throw new BrasaError('unsupported_architecture', {
        message: `This model scales its rotary embedding by "${type}"; Brasa knows ${known.join(', ')}. Choose another model.`,
        details: { key: 'rope.scaling.type', value: type, known },
      })
  }
}

/** Wavelengths longer than the trained context are stretched by the factor, short ones not at all, and in between smoothly. */
function llama3({ metadata }: ModelFile): Slowdown {
  const factor = metadata.number('rope.scaling.factor')
  const low = metadata.number('rope.scaling.low_freq_factor')
  const high = metadata.number('rope.scaling.high_freq_factor')
  const originalLength = metadata.count('rope.scaling.original_context_length')
  return (_, frequency) => {
    const turns = (originalLength * frequency) / (2 * Math.PI)
    if (turns > high) return 1
    if (turns < low) return factor
    const smooth = (turns - low) / (high - low)
    return 1 / ((1 - smooth) / factor + smooth)
  }
}

/**
 * Two lists of factors: one for contexts up to the length first trained on, one for longer ones. Keys that were cached with
 * one do not fit the other, so that the length a sequence may reach decides, not the length it has.
 */
async function longrope(file: ModelFile, dim: number): Promise<RopeScaling> {
  const { metadata } = file
  const trainedLength = metadata.count('context_length')
  const originalLength = metadata.count('rope.scaling.original_context_length', () => trainedLength)
  const short = await file.vector('rope_factors_short.weight', dim / 2)
  const long = await file.vector('rope_factors_long.weight', dim / 2)
  const listed = file.contextLength > originalLength ? long : short
  const magnitude = metadata.number('rope.scaling.attn_factor', () =>
    attentionFactor(trainedLength, originalLength),
  )
  if (!(magnitude > 0 && magnitude < Number.POSITIVE_INFINITY)) {
    throw new BrasaError('malformed_model', {
      message: `A rotary embedding cannot be multiplied by ${magnitude}. Download or convert the file again.`,
      details: { key: 'rope.scaling.attn_factor', originalLength },
    })
  }
  return { slowdown: (i) => listed[i]!, magnitude: magnitude === 1 ? undefined : magnitude }
}

/** What the released code of Phi-3 multiplies by, for attention to stay as sharp over more positions. */
function attentionFactor(trainedLength: number, originalLength: number): number {
  if (trainedLength <= originalLength) return 1
  return Math.sqrt(1 + Math.log(trainedLength / originalLength) / Math.log(originalLength))
}
