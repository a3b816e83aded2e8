import type { RopeSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'
import type { ModelFile } from './model-file.ts'

/**
 * The rotary embedding that the metadata describes. Frequencies are theta^(-2i / dim), slowed down by
 * - linear position interpolation (Chen et al. 2023): all by one factor;
 * - llama3 (Llama 3.1's frequency-dependent scaling): each by its own, listed in `rope_freqs.weight` or given by parameters.
 * @throws BrasaError `unsupported_architecture` naming any other scaling
 */
export async function ropeSpec(file: ModelFile, headDim: number, defaultTheta = 10_000): Promise<RopeSpec> {
  const { metadata } = file
  const dim = metadata.count('rope.dimension_count', () => headDim)
  const theta = metadata.number('rope.freq_base', () => defaultTheta)
  if (dim % 2 !== 0 || dim > headDim || !(theta > 0)) {
    throw new BrasaError('malformed_model', {
      message: `rope.dimension_count ${dim} and rope.freq_base ${theta} do not fit heads of ${headDim}. Download or convert the file again.`,
      details: { dim, theta, headDim },
    })
  }
  file.refuseUnless('rope.scaling.attn_factor', 0, 1)
  const slowdown = await slowdownOf(file, dim)
  const inverseFrequencies = new Float64Array(dim / 2)
  for (let i = 0; i < dim / 2; i++) {
    const frequency = theta ** ((-2 * i) / dim)
    inverseFrequencies[i] = frequency / slowdown(i, frequency)
  }
  return { pairing: 'adjacent', dim, inverseFrequencies }
}

type Slowdown = (index: number, frequency: number) => number

async function slowdownOf(file: ModelFile, dim: number): Promise<Slowdown> {
  const { metadata } = file
  const listed = file.has('rope_freqs.weight') ? await file.vector('rope_freqs.weight', dim / 2) : undefined
  if (listed?.some((factor) => !(factor > 0 && factor < Number.POSITIVE_INFINITY))) {
    throw new BrasaError('malformed_model', {
      message:
        'Tensor "rope_freqs.weight" has factors that are not positive. Download or convert the file again.',
      details: { tensor: 'rope_freqs.weight' },
    })
  }
  // Before types had names, the factor alone meant linear.
  const legacyFactor = metadata.number('rope.scale_linear', () => 0)
  const type = metadata.string('rope.scaling.type', () => (legacyFactor > 0 ? 'linear' : 'none'))
  switch (type) {
    case 'none':
      return (i) => listed?.[i] ?? 1
    case 'linear': {
      const factor = metadata.number('rope.scaling.factor', () => legacyFactor) || 1
      return (i) => factor * (listed?.[i] ?? 1)
    }
    case 'llama3':
      return listed ? (i) => listed[i]! : llama3(file)
    default:
      throw new BrasaError('unsupported_architecture', {
        message: `This model scales its rotary embedding by "${type}"; Brasa knows none, linear and llama3. Choose another model.`,
        details: { key: 'rope.scaling.type', value: type, known: ['none', 'linear', 'llama3'] },
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
