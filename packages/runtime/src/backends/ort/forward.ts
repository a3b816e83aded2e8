import { BrasaError, toBrasaError } from '../../errors.ts'
import { breathe } from '../breathe.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { advance, type KvCache, reserve, writeRows } from './kv-cache.ts'
import type { LoadedModel } from './load-model.ts'
import type { Ort } from './load-ort.ts'
import { type FloatArray, sharedArrays } from './shared-arrays.ts'
import { windowOf } from './shared-inputs.ts'

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
  { embedding, sessions, blockCounts, shared }: LoadedModel<OrtSession>,
  cache: KvCache,
  tokens: Uint32Array,
  firstPosition: number,
  wantsLogits: boolean,
): Promise<Float32Array | undefined> {
  const { hiddenSize, blocks } = spec
  const numRows = tokens.length
  const tensorOf = ({ data, dims }: FloatArray) => new ort.Tensor('float32', data, dims)
  reserve(cache, spec, firstPosition + numRows)
  const sharedFeeds = new Map(
    Object.entries(sharedArrays(shared, cache, firstPosition, numRows)).map(([name, array]) => [
      name,
      tensorOf(array),
    ]),
  )
  advance(cache, firstPosition + numRows)
  let hidden: Float32Array = embedding.lookUp(tokens)
  let firstBlock = 0
  for (const [index, numBlocks] of blockCounts.entries()) {
    // The wasm provider computes on this thread: a worker whose chunk takes long still answers between segments.
    await breathe()
    const session = sessions[index]!
    const feeds: Record<string, Feeds[string]> = {
      hidden: tensorOf({ data: hidden, dims: [numRows, hiddenSize] }),
    }
    for (const name of session.inputNames) {
      const feed = sharedFeeds.get(name)
      if (feed !== undefined) feeds[name] = feed
    }
    const layers = blocks.slice(firstBlock, firstBlock + numBlocks).map(({ attention }, block) => ({
      block,
      keys: cache.keys[firstBlock + block]!,
      values: cache.values[firstBlock + block]!,
      layout: { ...attention, capacity: cache.spans.get(windowOf(attention))!.capacity },
    }))
    for (const { block, keys, values, layout } of layers) {
      const dims = [layout.numKvHeads, layout.capacity, layout.headDim]
      feeds[`past_key_${block}`] = tensorOf({ data: keys, dims })
      feeds[`past_value_${block}`] = tensorOf({ data: values, dims })
    }
    const results = await run(session, feeds)
    for (const { block, keys, values, layout } of layers) {
      writeRows(keys, results(`key_${block}`), firstPosition, layout)
      writeRows(values, results(`value_${block}`), firstPosition, layout)
    }
    hidden = results('hidden_out')
    firstBlock += numBlocks
  }
  if (!wantsLogits) return undefined
  const last = tensorOf({ data: hidden.slice(-hiddenSize), dims: [1, hiddenSize] })
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
