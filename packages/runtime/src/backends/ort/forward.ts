import { BrasaError, toBrasaError } from '../../errors.ts'
import { breathe } from '../breathe.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { type KvCache, reserve, writeRows } from './kv-cache.ts'
import type { LoadedModel } from './load-model.ts'
import type { Ort } from './load-ort.ts'

export type OrtSession = Awaited<ReturnType<Ort['InferenceSession']['create']>>
type Feeds = Parameters<OrtSession['run']>[0]

/**
 * Runs the segments one after the other over rows of one sequence; new keys and values go to the cache.
 * @returns (vocabSize) logits of the last row, where they are wanted
 * @throws BrasaError `out_of_memory`; `internal` if a run fails
 */
export async function forward(
  ort: Ort,
  spec: TransformerSpec,
  { embedding, sessions, blockCounts }: LoadedModel<OrtSession>,
  cache: KvCache,
  tokens: Uint32Array,
  firstPosition: number,
  wantsLogits: boolean,
): Promise<Float32Array | undefined> {
  const { hiddenSize } = spec
  const { numHeads, numKvHeads, headDim, rope } = spec.blocks[0]!.attention
  const numRows = tokens.length
  const float = (data: Float32Array, dims: number[]) => new ort.Tensor('float32', data, dims)
  reserve(cache, spec, firstPosition + numRows)
  const { capacity, keys, values } = cache
  const shared: Feeds = {
    ...ropeRows(float, rope.inverseFrequencies, firstPosition, numRows),
    past_mask: float(new Float32Array(capacity).fill(-Infinity, firstPosition), [1, 1, capacity]),
    mask: float(causalMask(numRows, numHeads / numKvHeads), [1, (numHeads / numKvHeads) * numRows, numRows]),
  }
  let hidden: Float32Array = embedding.lookUp(tokens)
  let firstBlock = 0
  for (const [index, numBlocks] of blockCounts.entries()) {
    // The wasm provider computes on this thread: a worker whose chunk takes long still answers between segments.
    await breathe()
    const feeds: Record<string, Feeds[string]> = { ...shared, hidden: float(hidden, [numRows, hiddenSize]) }
    const held = [numKvHeads, capacity, headDim]
    for (let block = 0; block < numBlocks; block++) {
      feeds[`past_key_${block}`] = float(keys[firstBlock + block]!, held)
      feeds[`past_value_${block}`] = float(values[firstBlock + block]!, held)
    }
    const results = await run(sessions[index]!, feeds)
    for (let block = 0; block < numBlocks; block++) {
      const layout = { capacity, numKvHeads, headDim }
      writeRows(keys[firstBlock + block]!, results(`key_${block}`), firstPosition, layout)
      writeRows(values[firstBlock + block]!, results(`value_${block}`), firstPosition, layout)
    }
    hidden = results('hidden_out')
    firstBlock += numBlocks
  }
  if (!wantsLogits) return undefined
  const last = float(hidden.slice(-hiddenSize), [1, hiddenSize])
  return (await run(sessions.at(-1)!, { hidden: last }))('logits')
}

async function run(session: OrtSession, feeds: Feeds): Promise<(name: string) => Float32Array> {
  try {
    const results = await session.run(feeds)
    return (name) => results[name]!.data as Float32Array
  } catch (error) {
    throw ortError(error, 'compute a step')
  }
}

/** What ONNX Runtime threw, by code: it has only words. */
export function ortError(error: unknown, task: string): BrasaError {
  const { message } = toBrasaError(error)
  if (/bad_alloc|alloc\w* failed|failed to alloc|out of memory/i.test(message)) {
    return new BrasaError('out_of_memory', {
      message: `ONNX Runtime had not the memory to ${task}. Close other tabs, or load a smaller model or a smaller contextLength.`,
      cause: error,
    })
  }
  return new BrasaError('internal', {
    message: `ONNX Runtime could not ${task}: ${message}. Load the model again.`,
    cause: error,
  })
}

/** Cosines and sines (numRows, dim / 2), computed in float64: angles are large far into a context. */
function ropeRows<T>(
  float: (data: Float32Array, dims: number[]) => T,
  inverseFrequencies: Float64Array,
  firstPosition: number,
  numRows: number,
): { cos: T; sin: T } {
  const half = inverseFrequencies.length
  const angles = Float64Array.from(
    { length: numRows * half },
    (_, i) => (firstPosition + Math.floor(i / half)) * inverseFrequencies[i % half]!,
  )
  return {
    cos: float(Float32Array.from(angles, Math.cos), [numRows, half]),
    sin: float(Float32Array.from(angles, Math.sin), [numRows, half]),
  }
}

/** (group, numRows, numRows): 0 where a row may look, at itself and at those before it. */
function causalMask(numRows: number, group: number): Float32Array {
  const mask = new Float32Array(group * numRows * numRows)
  for (let row = 0; row < group * numRows; row++) {
    mask.fill(-Infinity, row * numRows + (row % numRows) + 1, (row + 1) * numRows)
  }
  return mask
}
