import type { BlockSpec, ResidualPart, RmsNormSpec } from '../transformer-spec.ts'
import type { Activations } from './activations.ts'
import type { BatchBuffers } from './batch.ts'
import type { DeviceBlock, DeviceLinear } from './device-weights.ts'
import type { Dispatch } from './dispatch.ts'
import type { Gpu } from './gpu.ts'
import { type AttentionDecodeBindings, prepareAttentionDecode } from './kernels/attention-decode.ts'
import { prepareAttentionPrefill } from './kernels/attention-prefill.ts'
import type { ProductBindings } from './kernels/epilogue.ts'
import { prepareGlu } from './kernels/glu.ts'
import { prepareHeadNorm } from './kernels/head-norm.ts'
import { prepareMatmul } from './kernels/matmul.ts'
import { prepareMatvec } from './kernels/matvec.ts'
import { prepareRmsNorm } from './kernels/rms-norm.ts'
import { prepareRopeKvWrite } from './kernels/rope-kv.ts'
import type { KvLayer } from './kv-cache.ts'
import type { RopeTables } from './rope-tables.ts'

export interface LayerContext {
  readonly gpu: Gpu
  /** `decode` multiplies by few rows, `prefill` by many. */
  readonly phase: 'decode' | 'prefill'
  readonly hiddenSize: number
  readonly block: BlockSpec
  readonly weights: DeviceBlock
  readonly kv: KvLayer
  readonly ropeTables: RopeTables
  readonly activations: Activations
  readonly batch: BatchBuffers
}

type Dispatches = readonly (Promise<Dispatch | readonly Dispatch[]> | undefined)[]

/**
 * Nine dispatches in a llama: norm, qkv, rope and KV write, attention (two in decode), output, norm, gate-up (with its
 * activation in decode, which is one of its own in prefill), down. Norms of heads and of outputs are one more each.
 */
export async function prepareLayer(context: LayerContext): Promise<Dispatch[]> {
  const dispatches = [...attentionDispatches(context), ...mlpDispatches(context)]
  return (await Promise.all(dispatches)).flat().filter((dispatch) => dispatch !== undefined)
}

function attentionDispatches(context: LayerContext): Dispatches {
  const { block, weights, activations } = context
  const { attention } = block
  const { hidden, normed, queryKeyValue, attended } = activations
  return [
    inputNorm(context, attention.norm, weights.attentionNorm),
    product(context, weights.queryKeyValue, {
      input: attention.norm === undefined ? hidden : normed,
      output: queryKeyValue,
      epilogue: 'store',
    }),
    headNorm(context),
    ropeKvWrite(context),
    attend(context),
    ...residual(context, attention, weights.attentionPostNorm, weights.attentionOutput, attended),
  ]
}

function mlpDispatches(context: LayerContext): Dispatches {
  const { gpu, phase, block, weights, activations, batch } = context
  const { norm, intermediateSize, activation } = block.mlp
  const { hidden, normed, gateUp, activated } = activations
  const input = norm === undefined ? hidden : normed
  const gated =
    phase === 'decode'
      ? [
          prepareMatvec(gpu, {
            ...weights.gateUp,
            input,
            output: activated,
            epilogue: 'glu',
            activation,
            batch,
          }),
        ]
      : [
          product(context, weights.gateUp, { input, output: gateUp, epilogue: 'store' }),
          prepareGlu(gpu, { gateUp, output: activated, intermediateSize, activation, batch }),
        ]
  return [
    inputNorm(context, norm, weights.mlpNorm),
    ...gated,
    ...residual(context, block.mlp, weights.mlpPostNorm, weights.down, activated),
  ]
}

export function inputNorm(context: LayerContext, norm: RmsNormSpec | undefined, gain: GPUBuffer | undefined) {
  if (norm === undefined) return undefined
  const { gpu, hiddenSize, activations, batch } = context
  const { hidden: input, normed: output } = activations
  return prepareRmsNorm(gpu, { input, gain: gain!, output, hiddenSize, epsilon: norm.epsilon, batch })
}

/** hidden += residualScale * postNorm(linear input), in one dispatch where there is no norm. */
export function residual(
  context: LayerContext,
  { postNorm, residualScale = 1 }: ResidualPart,
  gain: GPUBuffer | undefined,
  linear: DeviceLinear,
  input: GPUBuffer,
): Dispatches {
  const { gpu, hiddenSize, activations, batch } = context
  const { hidden, normed } = activations
  if (postNorm === undefined) {
    return [product(context, linear, { input, output: hidden, epilogue: 'add', scale: residualScale })]
  }
  // What the part's own norm left in `normed` is used up.
  return [
    product(context, linear, { input, output: normed, epilogue: 'store' }),
    prepareRmsNorm(gpu, {
      input: normed,
      gain: gain!,
      output: hidden,
      hiddenSize,
      epsilon: postNorm.epsilon,
      addScale: residualScale,
      batch,
    }),
  ]
}

function product(
  { gpu, phase, batch }: LayerContext,
  linear: DeviceLinear,
  bindings: Pick<ProductBindings, 'input' | 'output' | 'scale'> & { epilogue: 'store' | 'add' },
): Promise<Dispatch> {
  const all = { ...linear, ...bindings, batch }
  return phase === 'decode' ? prepareMatvec(gpu, all) : prepareMatmul(gpu, all)
}

export function headNorm({ gpu, block, weights, activations, batch }: LayerContext) {
  const { queryNorm, keyNorm } = block.attention
  if (queryNorm === undefined && keyNorm === undefined) return undefined
  return prepareHeadNorm(gpu, {
    qkv: activations.queryKeyValue,
    shape: block.attention,
    queryNorm: queryNorm && { ...queryNorm, gain: weights.queryNorm! },
    keyNorm: keyNorm && { ...keyNorm, gain: weights.keyNorm! },
    batch,
  })
}

function attentionBindings({ block, kv, activations, batch }: LayerContext) {
  const { numHeads, numKvHeads, headDim, scale, softCap } = block.attention
  const { keys, values, pageTable, maxPagesPerSequence, window } = kv
  return {
    qkv: activations.queryKeyValue,
    keys,
    values,
    pageTable,
    maxPagesPerSequence,
    batch,
    shape: { numHeads, numKvHeads, headDim, scale, softCap, window },
  }
}

export function ropeKvWrite(context: LayerContext): Promise<Dispatch> {
  return prepareRopeKvWrite(context.gpu, ropeKvBindings(context))
}

export function ropeKvBindings(context: LayerContext) {
  const { block, ropeTables } = context
  const { rope } = block.attention
  return {
    ...attentionBindings(context),
    ropeTable: ropeTables.tableOf(rope),
    pairing: rope?.pairing ?? 'adjacent',
    ropeDim: rope?.dim ?? 0,
  }
}

/** @param options of decode; prefill has none */
export function attend(
  context: LayerContext,
  options: Pick<AttentionDecodeBindings, 'unsplit' | 'variant'> = {},
): Promise<Dispatch | readonly Dispatch[]> {
  const { gpu, phase, activations } = context
  const bindings = { ...attentionBindings(context), output: activations.attended }
  if (phase === 'prefill') return prepareAttentionPrefill(gpu, bindings)
  return prepareAttentionDecode(gpu, { ...bindings, parts: activations.attentionParts, ...options })
}
