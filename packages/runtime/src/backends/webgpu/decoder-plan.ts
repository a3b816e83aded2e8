import type { BlockSpec, TransformerSpec } from '../transformer-spec.ts'
import type { Activations } from './activations.ts'
import type { BatchBuffers } from './batch.ts'
import type { DeviceBlock, DeviceWeights } from './device-weights.ts'
import type { Dispatch } from './dispatch.ts'
import type { Gpu } from './gpu.ts'
import { prepareAttentionDecode } from './kernels/attention-decode.ts'
import { prepareAttentionPrefill } from './kernels/attention-prefill.ts'
import { prepareEmbed } from './kernels/embed.ts'
import { prepareMatmul } from './kernels/matmul.ts'
import { prepareMatvec } from './kernels/matvec.ts'
import { prepareRmsNorm } from './kernels/rms-norm.ts'
import { prepareRopeKvWrite } from './kernels/rope-kv.ts'
import { prepareSampling } from './kernels/sampling.ts'
import { prepareSiluMul } from './kernels/silu-mul.ts'
import type { KvCache } from './kv-cache.ts'
import type { SamplingState } from './sampling-state.ts'

/** Everything the dispatches of a model bind. */
export interface DecoderBuffers {
  readonly weights: DeviceWeights
  readonly activations: Activations
  readonly cache: KvCache
  readonly ropeTables: ReadonlyMap<Float64Array, GPUBuffer>
  readonly sampling: SamplingState
  /** (maxBatchSize, parts of the split keys): grows with the model, shared by all layers */
  readonly decodeBatch: BatchBuffers
  readonly prefillBatch: BatchBuffers
}

/** One forward pass as a fixed list of dispatches, replayed at every step. */
export interface DecoderPlan {
  /** Token embedding, all layers, head and sampling: a decode step. */
  readonly decode: readonly Dispatch[]
  /** Token embedding, then one list a layer: a prefill chunk, which needs no logits. */
  readonly prefill: readonly (readonly Dispatch[])[]
  /** The cache generation that these dispatches bind. */
  readonly cacheGeneration: number
  destroy(): void
}

/** Compiles every pipeline (or finds it compiled) and binds the buffers as they are now. */
export async function prepareDecoder(
  gpu: Gpu,
  spec: TransformerSpec,
  buffers: DecoderBuffers,
): Promise<DecoderPlan> {
  const { weights, activations, decodeBatch, prefillBatch, sampling, cache } = buffers
  const scratch: GPUBuffer[] = []
  const embed = (batch: BatchBuffers) =>
    prepareEmbed(gpu, { table: weights.embedding, batch, output: activations.hidden })
  const decodeLayers = spec.blocks.map((block, layer) =>
    prepareDecodeLayer(gpu, block, layer, buffers, scratch),
  )
  const prefillLayers = spec.blocks.map((block, layer) => preparePrefillLayer(gpu, block, layer, buffers))
  const head = prepareHead(gpu, spec, buffers)
  const sample = prepareSampling(gpu, {
    logits: activations.logits,
    vocabSize: spec.vocabSize,
    batch: decodeBatch,
    settings: sampling.settings,
    tokenCounts: sampling.tokenCounts,
    sampled: activations.sampled,
    maxRows: decodeBatch.maxRows,
    scratch,
  })
  return {
    decode: [
      await embed(decodeBatch),
      ...(await Promise.all(decodeLayers)).flat(),
      ...(await head),
      ...(await sample),
    ],
    prefill: [[await embed(prefillBatch)], ...(await Promise.all(prefillLayers))],
    cacheGeneration: cache.generation,
    destroy() {
      for (const buffer of scratch) buffer.destroy()
    },
  }
}

/** Nine dispatches: norm, qkv, rope and KV write, attention in two, output, norm, gate-up with silu, down. */
async function prepareDecodeLayer(
  gpu: Gpu,
  block: BlockSpec,
  layer: number,
  buffers: DecoderBuffers,
  scratch: GPUBuffer[],
): Promise<Dispatch[]> {
  const { activations, weights, decodeBatch: batch } = buffers
  const { hidden, normed, queryKeyValue, attended, activated } = activations
  const matrices = weights.blocks[layer]!
  const attention = prepareAttentionDecode(gpu, {
    ...attentionBindings(block, layer, buffers, batch),
    output: attended,
    maxRows: batch.maxRows,
  })
  const dispatches = await Promise.all([
    attentionNorm(gpu, block, matrices, activations, batch),
    prepareMatvec(gpu, {
      weights: matrices.queryKeyValue,
      input: normed,
      output: queryKeyValue,
      epilogue: 'store',
      batch,
    }),
    ropeKvWrite(gpu, block, layer, buffers, batch),
    attention.then(({ dispatches }) => dispatches),
    prepareMatvec(gpu, {
      weights: matrices.attentionOutput,
      input: attended,
      output: hidden,
      epilogue: 'add',
      batch,
    }),
    mlpNorm(gpu, block, matrices, activations, batch),
    prepareMatvec(gpu, {
      weights: matrices.gateUp,
      input: normed,
      output: activated,
      epilogue: 'silu_mul',
      batch,
    }),
    prepareMatvec(gpu, { weights: matrices.down, input: activated, output: hidden, epilogue: 'add', batch }),
  ])
  scratch.push(...(await attention).scratch)
  return dispatches.flat()
}

async function preparePrefillLayer(
  gpu: Gpu,
  block: BlockSpec,
  layer: number,
  buffers: DecoderBuffers,
): Promise<Dispatch[]> {
  const { activations, weights, prefillBatch: batch } = buffers
  const { hidden, normed, queryKeyValue, attended, gateUp, activated } = activations
  const matrices = weights.blocks[layer]!
  const { intermediateSize } = block.mlp
  const dispatches = await Promise.all([
    attentionNorm(gpu, block, matrices, activations, batch),
    prepareMatmul(gpu, {
      weights: matrices.queryKeyValue,
      input: normed,
      output: queryKeyValue,
      epilogue: 'store',
      batch,
    }),
    ropeKvWrite(gpu, block, layer, buffers, batch),
    prepareAttentionPrefill(gpu, { ...attentionBindings(block, layer, buffers, batch), output: attended }),
    prepareMatmul(gpu, {
      weights: matrices.attentionOutput,
      input: attended,
      output: hidden,
      epilogue: 'add',
      batch,
    }),
    mlpNorm(gpu, block, matrices, activations, batch),
    prepareMatmul(gpu, { weights: matrices.gateUp, input: normed, output: gateUp, epilogue: 'store', batch }),
    prepareSiluMul(gpu, { gateUp, output: activated, intermediateSize, batch }),
    prepareMatmul(gpu, { weights: matrices.down, input: activated, output: hidden, epilogue: 'add', batch }),
  ])
  return dispatches
}

function prepareHead(gpu: Gpu, spec: TransformerSpec, buffers: DecoderBuffers): Promise<Dispatch[]> {
  const { hidden, normed, logits } = buffers.activations
  const { weights, decodeBatch: batch } = buffers
  const { epsilon } = spec.head.norm
  return Promise.all([
    prepareRmsNorm(gpu, {
      input: hidden,
      gain: weights.headNorm,
      output: normed,
      hiddenSize: spec.hiddenSize,
      epsilon,
      batch,
    }),
    prepareMatvec(gpu, { weights: weights.head, input: normed, output: logits, epilogue: 'store', batch }),
  ])
}

const attentionNorm = (
  gpu: Gpu,
  { attention }: BlockSpec,
  { attentionNorm, queryKeyValue }: DeviceBlock,
  { hidden, normed }: Activations,
  batch: BatchBuffers,
) =>
  prepareRmsNorm(gpu, {
    input: hidden,
    gain: attentionNorm,
    output: normed,
    hiddenSize: queryKeyValue.numColumns,
    epsilon: attention.norm.epsilon,
    batch,
  })

const mlpNorm = (
  gpu: Gpu,
  { mlp }: BlockSpec,
  { mlpNorm, gateUp }: DeviceBlock,
  { hidden, normed }: Activations,
  batch: BatchBuffers,
) =>
  prepareRmsNorm(gpu, {
    input: hidden,
    gain: mlpNorm,
    output: normed,
    hiddenSize: gateUp.numColumns,
    epsilon: mlp.norm.epsilon,
    batch,
  })

function attentionBindings(
  { attention }: BlockSpec,
  layer: number,
  buffers: DecoderBuffers,
  batch: BatchBuffers,
) {
  const { numHeads, numKvHeads, headDim, scale } = attention
  const { cache, activations } = buffers
  return {
    qkv: activations.queryKeyValue,
    keys: cache.keys[layer]!,
    values: cache.values[layer]!,
    pageTable: cache.pageTable,
    maxPagesPerSequence: cache.maxPagesPerSequence,
    batch,
    shape: { numHeads, numKvHeads, headDim, scale },
  }
}

function ropeKvWrite(
  gpu: Gpu,
  block: BlockSpec,
  layer: number,
  buffers: DecoderBuffers,
  batch: BatchBuffers,
) {
  const { rope } = block.attention
  return prepareRopeKvWrite(gpu, {
    ...attentionBindings(block, layer, buffers, batch),
    ropeTable: buffers.ropeTables.get(rope.inverseFrequencies)!,
    ropeDim: rope.dim,
  })
}
