import type { TensorInfo } from '../../formats/gguf.ts'
import { type ActivationPrecision, type MemoryInfo, rollbackTokens } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { activationSizes, planRows } from './activations.ts'
import { keyBytesOf, kvLayout, pageTokens } from './kv-cache.ts'
import { type MatrixPlan, planMatrices, vectorSizes } from './matrix-plan.ts'
import { windowBytes } from './repack.ts'
import { tileBytes } from './tiles.ts'

/**
 * What `memory()` of a WASM executor will report, once one sequence fills its context: computed from a model file's header alone.
 * @throws BrasaError `malformed_model` if a tensor that the description names is missing
 */
export function estimateMemory(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
  contextLength: number,
  precision?: ActivationPrecision,
): MemoryInfo {
  const { embedding, head, blocks } = planMatrices(spec, tensors)
  const matrices = new Set<MatrixPlan>([embedding, head, ...blocks.flatMap((block) => Object.values(block))])
  const bytesOf = ({ format, numRows, numColumns, hasBias }: MatrixPlan) =>
    tileBytes(format, numRows, numColumns) + (hasBias ? numRows * 4 : 0)
  const { groups } = kvLayout(spec, keyBytesOf(precision))
  const heldOf = (window: number | undefined) =>
    Math.min(contextLength, (window ?? contextLength) + rollbackTokens + planRows[0] + pageTokens)
  const frequencies = new Set(spec.blocks.map(({ attention }) => attention.rope?.inverseFrequencies))
  const ropeBytes = total([...frequencies].map((each) => (each?.length ?? 0) * contextLength * 8))
  const activations = planRows.map((rows) => total(Object.values(activationSizes(spec, groups.length, rows))))
  return {
    weightBytes:
      total([...matrices].map(bytesOf)) + total([...vectorSizes(spec).values()].map((size) => size * 4)),
    kvCacheBytes: total(
      groups.map(({ window, pageBytes }) => Math.ceil(heldOf(window) / pageTokens) * pageBytes),
    ),
    // The first page, what repacking and a thread compute in, and sampling's scores with what orders them.
    otherBytes:
      65_536 + windowBytes + scratchBytes(spec) + ropeBytes + total(activations) + spec.vocabSize * 8,
  }
}

/** Of attention: assembly/scratch.ts has it. */
function scratchBytes({ hiddenSize, blocks }: TransformerSpec): number {
  const widths = blocks.flatMap(({ attention, mlp }) => [
    attention.numHeads * attention.headDim,
    mlp.intermediateSize,
  ])
  return 4096 + 64 * Math.max(hiddenSize, ...widths)
}

const total = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)
