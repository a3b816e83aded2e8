import type { RopeSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'
import type { ModelFile } from './model-file.ts'
import { ropeScaling, type Slowdown } from './rope-scaling.ts'

interface RopeOptions {
  readonly pairing: RopeSpec['pairing']
  readonly headDim: number
  readonly defaultTheta?: number
}

/**
 * The rotary embedding that the metadata describes: frequencies theta^(-2i / dim), scaled. Su et al. 2021, section 3.2.
 * @throws BrasaError `malformed_model`, `unsupported_architecture` naming an unknown scaling
 */
export async function ropeSpec(
  file: ModelFile,
  { pairing, headDim, defaultTheta = 10_000 }: RopeOptions,
): Promise<RopeSpec> {
  const dim = ropeDim(file, headDim)
  const theta = file.metadata.number('rope.freq_base', () => defaultTheta)
  const { slowdown, magnitude } = await ropeScaling(file, dim)
  return { ...plainRope(pairing, dim, theta, slowdown), magnitude }
}

/** How many components of a head turn: all, unless the file says fewer (partial rotary). */
export function ropeDim({ metadata }: ModelFile, headDim: number): number {
  const dim = metadata.count('rope.dimension_count', () => headDim)
  if (dim % 2 === 0 && dim <= headDim) return dim
  throw new BrasaError('malformed_model', {
    message: `rope.dimension_count ${dim} does not fit heads of ${headDim}. Download or convert the file again.`,
    details: { dim, headDim },
  })
}

/** A rotary embedding from numbers alone, without scaling unless `slowdown` is given. */
export function plainRope(
  pairing: RopeSpec['pairing'],
  dim: number,
  theta: number,
  slowdown: Slowdown = () => 1,
): RopeSpec {
  const inverseFrequencies = Float64Array.from({ length: dim / 2 }, (_, i) => {
    const frequency = theta ** ((-2 * i) / dim)
    return frequency / slowdown(i, frequency)
  })
  if (inverseFrequencies.every((frequency) => frequency > 0 && frequency < Number.POSITIVE_INFINITY)) {
    return { pairing, dim, inverseFrequencies }
  }
  throw new BrasaError('malformed_model', {
    message: `The rotary embedding's base ${theta} and its scaling give impossible frequencies. Download or convert the file again.`,
    details: { theta, dim },
  })
}
