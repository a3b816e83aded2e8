// Headers for tests of the mappings: a decoder as llama's files name it, and what an architecture has otherwise.

import { expect } from 'vitest'
import type { LinearSpec, RopeSpec, TransformerSpec } from '../backends/transformer-spec.ts'
import { type BrasaError, isBrasaError } from '../errors.ts'
import { readGguf } from '../formats/gguf.ts'
import {
  type GgufContents,
  type WritableTensor,
  type WritableValue,
  writeGguf,
} from '../formats/gguf-writer.ts'
import { type DescribeModelOptions, describeModel } from './architectures.ts'

export const hiddenSize = 40
export const intermediateSize = 56
export const vocabSize = 30
export const numHeads = 6
export const numKvHeads = 2
export const headDim = 8
export const contextLength = 128
/** Six heads of 8 are not the hidden size. */
export const querySize = numHeads * headDim
export const keySize = numKvHeads * headDim
/** 1e-5 as a file holds it. */
export const epsilon = Math.fround(1e-5)

export interface HeaderOptions {
  readonly numBlocks?: number
  /** Under the architecture's prefix; undefined takes a key away. */
  readonly metadata?: Readonly<Record<string, WritableValue | undefined>>
  /** Shapes by name within each block; undefined takes a tensor away. */
  readonly block?: Readonly<Record<string, readonly number[] | undefined>>
  /** Shapes by name, or the values of a vector. */
  readonly tensors?: Readonly<Record<string, readonly number[] | Float32Array>>
}

export function decoderContents(architecture: string, options: HeaderOptions = {}): GgufContents {
  const { numBlocks = 2 } = options
  const metadata: Record<string, WritableValue | undefined> = {
    block_count: numBlocks,
    context_length: contextLength,
    embedding_length: hiddenSize,
    feed_forward_length: intermediateSize,
    'attention.head_count': numHeads,
    'attention.head_count_kv': numKvHeads,
    'attention.key_length': headDim,
    'attention.value_length': headDim,
    'attention.layer_norm_rms_epsilon': 1e-5,
    ...options.metadata,
  }
  const block: Record<string, readonly number[] | undefined> = {
    'attn_norm.weight': [hiddenSize],
    'attn_q.weight': [querySize, hiddenSize],
    'attn_k.weight': [keySize, hiddenSize],
    'attn_v.weight': [keySize, hiddenSize],
    'attn_output.weight': [hiddenSize, querySize],
    'ffn_norm.weight': [hiddenSize],
    'ffn_gate.weight': [intermediateSize, hiddenSize],
    'ffn_up.weight': [intermediateSize, hiddenSize],
    'ffn_down.weight': [hiddenSize, intermediateSize],
    ...options.block,
  }
  const tensors = [
    tensor('token_embd.weight', [vocabSize, hiddenSize]),
    tensor('output_norm.weight', [hiddenSize]),
    ...Object.entries(options.tensors ?? {}).map(([name, shape]) => tensor(name, shape)),
  ]
  for (let index = 0; index < numBlocks; index++) {
    for (const [name, shape] of Object.entries(block)) {
      if (shape !== undefined) tensors.push(tensor(`blk.${index}.${name}`, shape))
    }
  }
  const written: Record<string, WritableValue> = { 'general.architecture': architecture }
  for (const [key, value] of Object.entries(metadata)) {
    if (value !== undefined) written[`${architecture}.${key}`] = value
  }
  return { metadata: written, tensors }
}

function tensor(name: string, shape: readonly number[] | Float32Array): WritableTensor {
  if (shape instanceof Float32Array) {
    return { name, type: 'F32', shape: [shape.length], bytes: new Uint8Array(shape.buffer) }
  }
  const bytes = new Uint8Array(4 * shape.reduce((product, length) => product * length, 1))
  return { name, type: 'F32', shape, bytes }
}

/** Describes a file of these contents, reading nothing but its header and RoPE's factors. */
export function describeContents(
  contents: GgufContents,
  options?: DescribeModelOptions,
): Promise<TransformerSpec> {
  return describeFile(writeGguf(contents), options)
}

export async function describeFile(
  bytes: Uint8Array<ArrayBuffer>,
  options?: DescribeModelOptions,
): Promise<TransformerSpec> {
  const header = await readGguf({
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
  })
  const readTensor = async (name: string) => {
    expect(name).toMatch(/^rope_/)
    const { byteOffset, byteLength } = header.tensors.get(name)!
    return bytes.subarray(byteOffset, byteOffset + byteLength)
  }
  return describeModel(header, readTensor, options)
}

export const describeDecoder = (architecture: string, options?: HeaderOptions & DescribeModelOptions) =>
  describeContents(decoderContents(architecture, options), options)

/** The error that describing these contents ends with. */
export async function failureOf(contents: GgufContents): Promise<BrasaError> {
  const error: unknown = await describeContents(contents).then(
    () => expect.fail('expected an error'),
    (error) => error,
  )
  if (!isBrasaError(error)) throw error
  return error
}

/** What the description says of a norm, a linear and the parts of block 0 that all architectures share. */
export const norm = (name: string) => ({ weight: `${name}.weight`, epsilon })

export const linear = (name: string): LinearSpec => ({ weight: `${name}.weight` })

export const biased = (name: string): LinearSpec => ({ weight: `${name}.weight`, bias: `${name}.bias` })

export const attention = {
  norm: norm('blk.0.attn_norm'),
  ...{ numHeads, numKvHeads, headDim, scale: 1 / Math.sqrt(headDim) },
  query: linear('blk.0.attn_q'),
  key: linear('blk.0.attn_k'),
  value: linear('blk.0.attn_v'),
  output: linear('blk.0.attn_output'),
}

export const mlp = {
  norm: norm('blk.0.ffn_norm'),
  intermediateSize,
  activation: 'silu',
  gate: linear('blk.0.ffn_gate'),
  up: linear('blk.0.ffn_up'),
  down: linear('blk.0.ffn_down'),
}

export function rope(pairing: RopeSpec['pairing'], theta: number, dim = headDim): RopeSpec {
  return {
    pairing,
    dim,
    inverseFrequencies: Float64Array.from({ length: dim / 2 }, (_, i) => theta ** ((-2 * i) / dim)),
  }
}
