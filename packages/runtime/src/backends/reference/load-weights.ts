import { BrasaError, throwIfAborted } from '../../errors.ts'
import { blockFormats, decodePlanes, repack } from '../../quant/blocks.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'

/** A description with the values its names stand for. Values of planes are exact in f32, so that they are stored as such. */
export interface ReferenceModel {
  readonly spec: TransformerSpec
  readonly byteLength: number
  /** Row-major values of a tensor. */
  weight(name: string): Float32Array
}

/**
 * Decodes every tensor that the description names, through the planes that kernels read.
 * @throws BrasaError `malformed_model` if a tensor is not among the weights; `aborted`; what `weights` throws
 */
export async function loadWeights(
  spec: TransformerSpec,
  weights: Weights,
  signal?: AbortSignal,
  onProgress?: (loadedBytes: number) => void,
): Promise<ReferenceModel> {
  const values = new Map<string, Float32Array>()
  let byteLength = 0
  for (const name of weightNames(spec)) {
    const tensor = weights.tensors.get(name)
    if (tensor === undefined) {
      throw new BrasaError('malformed_model', {
        message: `Tensor "${name}" is missing. Download or convert the file again.`,
        details: { tensor: name },
      })
    }
    const length = tensor.shape.reduce((product, dimension) => product * dimension, 1)
    byteLength += length * 4
    values.set(name, new Float32Array(length))
  }
  let loadedBytes = 0
  for await (const { tensor, byteOffset, bytes } of weights.stream(signal)) {
    throwIfAborted(signal)
    const target = values.get(tensor.name)
    if (target !== undefined) {
      const { blockSize, blockBytes } = blockFormats[tensor.type]
      const count = (bytes.length / blockBytes) * blockSize
      target.set(decodePlanes(repack(tensor.type, bytes), count), (byteOffset / blockBytes) * blockSize)
    }
    loadedBytes += bytes.length
    onProgress?.(loadedBytes)
  }
  return { spec, byteLength, weight: (name) => values.get(name)! }
}

/** Every tensor that the description names, once. */
function weightNames({ embedding, blocks, head }: TransformerSpec): ReadonlySet<string> {
  const names = [embedding.weight, head.norm.weight, head.weight]
  for (const { attention, mlp } of blocks) {
    const { norm, postNorm, queryNorm, keyNorm } = attention
    for (const vector of [norm, postNorm, queryNorm, keyNorm, mlp.norm, mlp.postNorm]) {
      if (vector !== undefined) names.push(vector.weight)
    }
    const { query, key, value, output } = attention
    for (const { weight, bias } of [query, key, value, output, mlp.gate, mlp.up, mlp.down]) {
      names.push(weight)
      if (bias !== undefined) names.push(bias)
    }
  }
  return new Set(names)
}
