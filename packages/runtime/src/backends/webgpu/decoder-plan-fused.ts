import type { TransformerSpec } from '../transformer-spec.ts'
import type { StepBuffers } from './decoder-buffers.ts'
import { type FusedLayerContext, type NextNorm, prepareFusedLayer } from './decoder-layer-fused.ts'
import type { Dispatch } from './dispatch.ts'
import type { Gpu } from './gpu.ts'
import { prepareEmbed } from './kernels/embed.ts'
import { embedSquares, prepareEmbedGained } from './kernels/embed-gained.ts'
import { createGained, type GainedBuffer, type GainedInput } from './kernels/gained.ts'
import { type PairsVariant, prepareMatvecPairs } from './kernels/matvec-pairs.ts'
import { prepareRmsNorm } from './kernels/rms-norm.ts'

/** A decode step up to the logits, for contexts of up to `unsplitPositions` and for longer ones. */
export interface FusedDecode {
  readonly short: readonly Dispatch[]
  readonly long: readonly Dispatch[]
}

/** Positions that one workgroup a head attends to as fast as several and a merge. */
export const unsplitPositions = 256

/**
 * Embedding, layers and head with what is between products inside them: five dispatches a llama's layer, and two.
 * @param upTo `layers` leaves the head out
 */
export async function prepareFusedDecode(
  gpu: Gpu,
  spec: TransformerSpec,
  buffers: StepBuffers,
  variant: PairsVariant,
  scratch: GPUBuffer[],
  upTo: 'layers' | 'logits',
): Promise<FusedDecode> {
  const { maxRows } = buffers.decodeBatch
  const gained = createGained(gpu, spec.hiddenSize, maxRows)
  scratch.push(gained.buffer)
  const step = (splitsKeys: boolean) => prepareStep(gpu, spec, buffers, { variant, gained, splitsKeys }, upTo)
  // The serial attention always splits.
  if (variant === 'quads') {
    const both = await step(true)
    return { short: both, long: both }
  }
  const [short, long] = await Promise.all([step(false), step(true)])
  return { short, long }
}

type StepOptions = Pick<FusedLayerContext, 'variant' | 'gained' | 'splitsKeys'>

async function prepareStep(
  gpu: Gpu,
  spec: TransformerSpec,
  buffers: StepBuffers,
  options: StepOptions,
  upTo: 'layers' | 'logits',
): Promise<readonly Dispatch[]> {
  const { weights, activations, cache, ropeTables, decodeBatch: batch } = buffers
  const normOf = (index: number): NextNorm | undefined => {
    if (!foldsNorms(spec)) return undefined
    const block = spec.blocks[index]
    if (block === undefined) return { gain: weights.headNorm, epsilon: spec.head.norm.epsilon }
    const { norm } = block.attention
    return norm && { gain: weights.blocks[index]!.attentionNorm!, epsilon: norm.epsilon }
  }
  const embedded = prepareEmbedding(gpu, spec, buffers, options.gained, normOf(0))
  const dispatches: Promise<Dispatch | readonly Dispatch[]>[] = [embedded.dispatch]
  let input = embedded.left
  for (const [index, block] of spec.blocks.entries()) {
    const layer = prepareFusedLayer({
      ...options,
      gpu,
      phase: 'decode',
      hiddenSize: spec.hiddenSize,
      foldsNorms: foldsNorms(spec),
      block,
      weights: weights.blocks[index]!,
      kv: cache.layers[index]!,
      ropeTables,
      activations,
      batch,
      input,
      nextNorm: normOf(index + 1),
    })
    dispatches.push(layer.dispatches)
    input = layer.left
  }
  if (upTo === 'logits') dispatches.push(prepareHead(gpu, spec, buffers, options.variant, input))
  return (await Promise.all(dispatches)).flat()
}

/** Kernels read the parts of a sum of squares as vec4s behind rows that are whole ones. */
const foldsNorms = ({ hiddenSize }: TransformerSpec) => hiddenSize % 8 === 0

function prepareEmbedding(
  gpu: Gpu,
  { embedding, hiddenSize }: TransformerSpec,
  { weights, activations, decodeBatch: batch }: StepBuffers,
  gained: GainedBuffer,
  next: NextNorm | undefined,
): { dispatch: Promise<Dispatch>; left: GainedInput | undefined } {
  const bindings = { table: weights.embedding, scale: embedding.scale, batch, output: activations.hidden }
  if (next === undefined) return { dispatch: prepareEmbed(gpu, bindings), left: undefined }
  return {
    dispatch: prepareEmbedGained(gpu, { ...bindings, gain: next.gain, gained }),
    left: { buffer: gained, numSquares: embedSquares(hiddenSize), epsilon: next.epsilon },
  }
}

function prepareHead(
  gpu: Gpu,
  { head, hiddenSize }: TransformerSpec,
  { weights, activations, decodeBatch: batch }: StepBuffers,
  variant: PairsVariant,
  left: GainedInput | undefined,
): Promise<Dispatch[]> {
  const { hidden, normed, logits } = activations
  const product = (input: GPUBuffer) =>
    prepareMatvecPairs(gpu, {
      weights: weights.head,
      input,
      output: logits,
      norm: left,
      epilogue: { kind: 'store' },
      scale: head.scale,
      softCap: head.softCap,
      batch,
      variant,
    })
  if (left !== undefined) return Promise.all([product(left.buffer.buffer)])
  const { epsilon } = head.norm
  const norm = { input: hidden, gain: weights.headNorm, output: normed, hiddenSize, epsilon, batch }
  return Promise.all([prepareRmsNorm(gpu, norm), product(normed)])
}
