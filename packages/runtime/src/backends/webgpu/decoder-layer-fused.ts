import type { ResidualPart, RmsNormSpec } from '../transformer-spec.ts'
import {
  attend,
  headNorm,
  inputNorm,
  type LayerContext,
  residual,
  ropeKvBindings,
  ropeKvWrite,
} from './decoder-layer.ts'
import type { DeviceLinear } from './device-weights.ts'
import type { Dispatch } from './dispatch.ts'
import type { GainedBuffer, GainedInput } from './kernels/gained.ts'
import {
  numSquaresOf,
  type PairsEpilogue,
  type PairsVariant,
  prepareMatvecPairs,
  ropeKvStorageBuffers,
} from './kernels/matvec-pairs.ts'

/** A norm whose gain the part before it applies. */
export interface NextNorm {
  readonly gain: GPUBuffer
  readonly epsilon: number
}

export interface FusedLayerContext extends LayerContext {
  readonly variant: PairsVariant
  readonly gained: GainedBuffer
  /** What the part before left for this layer's first norm; absent where it left none. */
  readonly input: GainedInput | undefined
  /** Of what reads the residual stream after this layer; absent where that is no norm. */
  readonly nextNorm: NextNorm | undefined
  /** Whether products can apply a norm to what they read. */
  readonly foldsNorms: boolean
  /** For contexts that are worth a merge. */
  readonly splitsKeys: boolean
}

export interface FusedLayer {
  readonly dispatches: Promise<readonly Dispatch[]>
  /** What it left for `nextNorm`. */
  readonly left: GainedInput | undefined
}

type Dispatches = readonly (Promise<Dispatch | readonly Dispatch[]> | undefined)[]

/**
 * A decode layer of five dispatches in a llama, six where the keys are split: qkv with the norm before it and RoPE and KV write
 * behind it, attention, output with the residual, gate-up with its norm and activation, down with the residual. Norms of heads
 * and of outputs are dispatches of their own, as in decoder-layer.ts.
 */
export function prepareFusedLayer(context: FusedLayerContext): FusedLayer {
  const { block, weights, activations, input, nextNorm } = context
  const { attention, mlp } = block
  const mlpNorm = context.foldsNorms && mlp.norm && { gain: weights.mlpNorm!, epsilon: mlp.norm.epsilon }
  const afterAttention = fusedResidual(
    context,
    attention,
    weights.attentionPostNorm,
    weights.attentionOutput,
    activations.attended,
    mlpNorm || undefined,
  )
  const afterMlp = fusedResidual(
    context,
    mlp,
    weights.mlpPostNorm,
    weights.down,
    activations.activated,
    nextNorm,
  )
  const dispatches = [
    ...queryKeyValue(context, input),
    attend(context, {
      unsplit: !context.splitsKeys,
      variant: context.variant,
    }),
    ...afterAttention.dispatches,
    ...gateUp(context, afterAttention.left),
    ...afterMlp.dispatches,
  ]
  return {
    dispatches: Promise.all(dispatches).then((all) =>
      all.flat().filter((dispatch) => dispatch !== undefined),
    ),
    left: afterMlp.left,
  }
}

/** What a part's first product reads: the residual stream itself, normalised, or ready for it. */
function partInput(
  context: FusedLayerContext,
  norm: RmsNormSpec | undefined,
  gain: GPUBuffer | undefined,
  input: GainedInput | undefined,
): { before: Dispatches; input: GPUBuffer; norm: GainedInput | undefined } {
  const { hidden, normed } = context.activations
  if (norm === undefined) return { before: [], input: hidden, norm: undefined }
  if (input !== undefined) return { before: [], input: input.buffer.buffer, norm: input }
  return { before: [inputNorm(context, norm, gain)], input: normed, norm: undefined }
}

function queryKeyValue(context: FusedLayerContext, left: GainedInput | undefined): Dispatches {
  const { gpu, block, weights, activations } = context
  const { attention } = block
  const { before, input, norm } = partInput(context, attention.norm, weights.attentionNorm, left)
  const product = (epilogue: PairsEpilogue) =>
    pairs(context, weights.queryKeyValue, { input, output: activations.queryKeyValue, norm, epilogue })
  const hasHeadNorm = attention.queryNorm !== undefined || attention.keyNorm !== undefined
  const fits =
    gpu.device.limits.maxStorageBuffersPerShaderStage >=
    ropeKvStorageBuffers(weights.queryKeyValue.bias !== undefined)
  if (hasHeadNorm || !fits) {
    return [...before, product({ kind: 'store' }), headNorm(context), ropeKvWrite(context)]
  }
  return [...before, product({ kind: 'rope_kv', ...ropeKvBindings(context) })]
}

function gateUp(context: FusedLayerContext, left: GainedInput | undefined): Dispatches {
  const { block, weights, activations } = context
  const { before, input, norm } = partInput(context, block.mlp.norm, weights.mlpNorm, left)
  const output = activations.activated
  return [
    ...before,
    pairs(context, weights.gateUp, {
      input,
      output,
      norm,
      epilogue: { kind: 'glu' },
      activation: block.mlp.activation,
    }),
  ]
}

/** hidden += part, left ready for `next` where nothing stands between. */
function fusedResidual(
  context: FusedLayerContext,
  part: ResidualPart,
  postGain: GPUBuffer | undefined,
  linear: DeviceLinear,
  input: GPUBuffer,
  next: NextNorm | undefined,
): { dispatches: Dispatches; left: GainedInput | undefined } {
  if (part.postNorm !== undefined || next === undefined) {
    return { dispatches: residual(context, part, postGain, linear, input), left: undefined }
  }
  const { gained, variant, activations } = context
  const epilogue = { kind: 'add', gain: next.gain, gained } as const
  return {
    dispatches: [
      pairs(context, linear, { input, output: activations.hidden, epilogue, scale: part.residualScale }),
    ],
    left: { buffer: gained, numSquares: numSquaresOf(linear.weights, variant), epsilon: next.epsilon },
  }
}

function pairs(
  { gpu, variant, batch }: FusedLayerContext,
  linear: DeviceLinear,
  bindings: Omit<Parameters<typeof prepareMatvecPairs>[1], 'weights' | 'bias' | 'variant' | 'batch'>,
): Promise<Dispatch> {
  return prepareMatvecPairs(gpu, { ...linear, ...bindings, variant, batch })
}
