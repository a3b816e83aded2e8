import type { ActivationPrecision } from '../executor.ts'
import type { AttentionSpec, BlockSpec, RmsNormSpec, TransformerSpec } from '../transformer-spec.ts'
import { activationSizes, mostSplits, paddedBytes, rowsPerGroupOf } from './activations.ts'
import type { Heap } from './heap.ts'
import { type KvPages, pageTokens } from './kv-cache.ts'
import type { BlockMatrices, Matrix, ModelMatrices } from './matrices.ts'
import { type Field, f32, type OpRecord, type Program, writeProgram } from './program.ts'
import { formatCodes, isFloat, tileRows } from './tiles.ts'

/** A forward pass over a fixed number of rows, ready to run: what changes from run to run lies in memory beside it. */
export interface ForwardPlan {
  readonly numRows: number
  /** Embedding and blocks. */
  readonly body: Program
  /** The last row's logits. */
  readonly head: Program
  /** Writes what the rows are before a run. */
  place(rows: PlacedRows): void
  /** Address of the logits: f32 (vocabSize) */
  readonly logits: number
}

export interface PlacedRows {
  readonly tokens: Uint32Array
  readonly firstPosition: number
  /** Address of the page table of each group of layers. */
  readonly pageTables: readonly number[]
}

export interface PlanOptions {
  readonly numRows: number
  readonly numThreads: number
  /** Whether the dot product takes whole bytes: see assembly/dot.ts. */
  readonly takesBytes: boolean
  /** What activations are for quantised weights. */
  readonly precision: ActivationPrecision
  /** Of each block; 0 where nothing turns. */
  readonly ropeTables: readonly number[]
}

/** Rows of a chunk, as in assembly/rope.ts. */
const ropeRows = 8
/** Rows that share what attention reads of a page: as many as its scratch has room for. */
const mostAttentionRows = 4
/** Pages that a part should have at least. */
const pagesPerSplit = 6
/** Chunks of a linear layer for each thread: a thread that is put aside holds the others up by no more than one. */
const chunksPerThread = 4
/** A chunk of fewer tiles is not worth its claim. */
const leastTiles = 4

/** Writes the ops of a forward pass and allocates what they compute in between. */
export function planForward(
  heap: Heap,
  spec: TransformerSpec,
  matrices: ModelMatrices,
  pages: KvPages,
  options: PlanOptions,
): ForwardPlan {
  const { numRows, precision } = options
  const attentionInputs = new Set(matrices.blocks.map(({ queryKeyValue }) => queryKeyValue))
  const widthFor = (matrix: Matrix) => (precision === 'int16' || attentionInputs.has(matrix) ? 2 : 1)
  const { hiddenSize } = spec
  const rowsPerGroup = rowsPerGroupOf(numRows)
  const hiddenStride = paddedBytes(hiddenSize)
  const sizes = activationSizes(spec, pages.groups.length, numRows)
  const tokens = heap.allocate(sizes.tokens)
  const firstTable = heap.allocate(sizes.rowTables)
  const rowTables = pages.groups.map(
    (_, group) => firstTable + (group * sizes.rowTables) / pages.groups.length,
  )
  const hidden = heap.allocate(sizes.hidden)
  const qkv = heap.allocate(sizes.qkv)
  const attended = heap.allocate(sizes.attended)
  const activated = heap.allocate(sizes.activated)
  const aside = heap.allocate(sizes.aside)
  const floats = heap.allocate(sizes.floats)
  const quants = heap.allocate(sizes.quants)
  const scales = heap.allocate(sizes.scales)
  const sums = heap.allocate(sizes.sums)
  const parts = heap.allocate(sizes.parts)
  const logits = heap.allocate(sizes.logits)

  /** Ops of attention, whose splits grow with the context. */
  const attentionOps: { op: number; numBlocks: number; window: number | undefined }[] = []

  function normalise(
    rows: number,
    numColumns: number,
    input: { address: number; stride: number },
    norm: RmsNormSpec | undefined,
    matrix: Matrix,
  ): OpRecord[] {
    const wantsFloats = precision === 'f32' || isFloat(matrix.format)
    if (norm === undefined && wantsFloats && input.stride === numColumns * 4) return []
    const perGroup = rows === 1 ? 1 : rowsPerGroup
    return [
      {
        kind: 'normalise',
        numChunks: Math.ceil(rows / perGroup),
        fields: [
          ...[rows, numColumns, input.address, input.stride],
          ...[norm === undefined ? 0 : matrices.vector(norm.weight), f32(norm?.epsilon ?? 0)],
          ...(wantsFloats ? [floats, 0, 0, 0] : [0, quants, scales, sums]),
          ...[perGroup, widthFor(matrix)],
        ],
      },
    ]
  }

  function linear(
    rows: number,
    matrix: Matrix,
    input: { address: number; isAsItWas: boolean },
    output: { address: number; stride: number; epilogue: number; scale: number },
  ): OpRecord {
    const numTiles = matrix.numRows / tileRows
    const takesFloats = precision === 'f32' || isFloat(matrix.format)
    const quantised: Field[] = takesFloats ? [0, 0, 0] : [quants, scales, sums]
    const most = options.numThreads === 1 ? 1 : options.numThreads * chunksPerThread
    return {
      kind: 'linear',
      numChunks: Math.max(1, Math.min(most, Math.floor(numTiles / leastTiles))),
      fields: [
        ...[rows, matrix.numColumns, numTiles, formatCodes[matrix.format], matrix.address, matrix.bias],
        ...quantised,
        ...[takesFloats ? (input.isAsItWas ? input.address : floats) : 0, rows === 1 ? 1 : rowsPerGroup],
        ...[output.address, output.stride, output.epilogue, f32(output.scale)],
        ...[options.takesBytes ? 1 : 0, widthFor(matrix)],
      ],
    }
  }

  /** A linear layer behind its norm or quantisation. */
  function product(
    rows: number,
    matrix: Matrix,
    norm: RmsNormSpec | undefined,
    input: { address: number; stride: number },
    output: { address: number; stride: number; epilogue: number; scale: number },
  ): OpRecord[] {
    const before = normalise(rows, matrix.numColumns, input, norm, matrix)
    const from = { address: input.address, isAsItWas: before.length === 0 }
    return [...before, linear(rows, matrix, from, output)]
  }

  /** x += residualScale * postNorm(matrix input) */
  function addTo(
    matrix: Matrix,
    input: { address: number; stride: number },
    { postNorm, residualScale = 1 }: { postNorm?: RmsNormSpec; residualScale?: number },
  ): OpRecord[] {
    const onto = { address: hidden, stride: hiddenStride, epilogue: epilogues.add, scale: residualScale }
    if (postNorm === undefined) return product(numRows, matrix, undefined, input, onto)
    const apart = { address: aside, stride: hiddenStride, epilogue: epilogues.store, scale: 1 }
    return [
      ...product(numRows, matrix, undefined, input, apart),
      {
        kind: 'postNorm',
        numChunks: numRows,
        fields: [
          ...[numRows, hiddenSize, aside, hiddenStride, matrices.vector(postNorm.weight)],
          ...[f32(postNorm.epsilon), hidden, hiddenStride, f32(residualScale)],
        ],
      },
    ]
  }

  function headNorms(spec: AttentionSpec, qkvStride: number): OpRecord[] {
    const { numHeads, numKvHeads, headDim, queryNorm, keyNorm } = spec
    const sides = [
      { norm: queryNorm, heads: numHeads, at: qkv },
      { norm: keyNorm, heads: numKvHeads, at: qkv + numHeads * headDim * 4 },
    ]
    return sides.flatMap(({ norm, heads, at }): OpRecord[] => {
      if (norm === undefined) return []
      const shape = norm.over === 'all' ? [1, heads * headDim] : [heads, headDim]
      const gain = matrices.vector(norm.weight)
      return [
        {
          kind: 'headNorm',
          numChunks: numRows,
          fields: [numRows, ...shape, at, qkvStride, gain, f32(norm.epsilon)],
        },
      ]
    })
  }

  function block(spec: BlockSpec, layer: number, own: BlockMatrices, firstOp: number): OpRecord[] {
    const { attention, mlp } = spec
    const { numHeads, numKvHeads, headDim, scale, softCap = 0, window, rope } = attention
    const { group, offset } = pages.layers[layer]!
    const rows = rowTables[group]!
    const qkvStride = own.queryKeyValue.numRows * 4
    const input = { address: hidden, stride: hiddenStride }
    const ops = [
      ...product(numRows, own.queryKeyValue, attention.norm, input, {
        ...{ address: qkv, stride: qkvStride, epilogue: epilogues.store, scale: 1 },
      }),
      ...headNorms(attention, qkvStride),
    ]
    const table = options.ropeTables[layer]!
    const isHalf = rope?.pairing === 'half' ? 1 : 0
    ops.push({
      kind: 'rope',
      numChunks: Math.ceil(numRows / ropeRows),
      fields: [
        ...[numRows, numHeads, numKvHeads, headDim, qkv, qkvStride, rows],
        ...[table, rope?.dim ?? 0, isHalf, offset, pages.keyBytes],
      ],
    })
    const rowsPerChunk = Math.min(numRows, mostAttentionRows)
    const numBlocks = Math.ceil(numRows / rowsPerChunk) * numKvHeads
    attentionOps.push({ op: firstOp + ops.length, numBlocks, window })
    ops.push({
      kind: 'attention',
      numChunks: numBlocks,
      fields: [
        ...[numRows, numHeads, numKvHeads, headDim, qkv, qkvStride, rows, offset],
        ...[f32(scale), f32(softCap), window ?? 0, 1, parts, rowsPerChunk, pages.keyBytes],
      ],
    })
    ops.push({
      kind: 'merge',
      numChunks: numRows,
      fields: [numRows, numHeads, headDim, 1, parts, attended],
    })
    ops.push(...addTo(own.output, { address: attended, stride: numHeads * headDim * 4 }, attention))
    const epilogue = mlp.activation === 'silu' ? epilogues.siluMul : epilogues.geluMul
    ops.push(
      ...product(numRows, own.gateUp, mlp.norm, input, {
        ...{ address: activated, stride: mlp.intermediateSize * 4, epilogue, scale: 1 },
      }),
      ...addTo(own.down, { address: activated, stride: mlp.intermediateSize * 4 }, mlp),
    )
    return ops
  }

  const { embedding } = matrices
  const ops: OpRecord[] = [
    {
      kind: 'embed',
      numChunks: numRows,
      fields: [
        ...[numRows, hiddenSize, formatCodes[embedding.format], embedding.address, tokens],
        ...[hidden, hiddenStride, f32(spec.embedding.scale ?? 1)],
      ],
    },
  ]
  for (const [layer, each] of spec.blocks.entries())
    ops.push(...block(each, layer, matrices.blocks[layer]!, ops.length))
  const body = writeProgram(heap, ops)
  const lastRow = { address: hidden + (numRows - 1) * hiddenStride, stride: hiddenStride }
  const logitsOut = { address: logits, stride: 0, epilogue: epilogues.store, scale: 1 }
  const head = writeProgram(heap, product(1, matrices.head, spec.head.norm, lastRow, logitsOut))

  return {
    ...{ numRows, body, head, logits },
    place({ tokens: ids, firstPosition, pageTables }) {
      heap.words(tokens, numRows).set(ids)
      for (const [group, table] of rowTables.entries()) {
        const words = heap.words(table, numRows * 4)
        for (let row = 0; row < numRows; row++) {
          words[row * 4] = firstPosition + row
          words[row * 4 + 1] = pageTables[group]!
        }
      }
      const length = firstPosition + numRows
      for (const { op, numBlocks, window } of attentionOps) {
        const numSplits = splitsOf(Math.min(length, window ?? length), numBlocks, options.numThreads)
        body.setChunks(op, numBlocks * numSplits)
        body.setField(op, attentionSplits, numSplits)
        body.setField(op + 1, mergeSplits, numSplits)
      }
    },
  }
}

/** As assembly/ops.ts counts them. */
const epilogues = { store: 0, add: 1, siluMul: 2, geluMul: 3 } as const
/** Fields that change from run to run. */
const attentionSplits = 11
const mergeSplits = 3

/** More parts than blocks of rows and heads only where a context is long: rows of a prompt are work enough. */
function splitsOf(length: number, numBlocks: number, numThreads: number): number {
  if (numThreads === 1 || numBlocks >= 8 * numThreads) return 1
  return Math.max(1, Math.min(mostSplits, Math.ceil(length / (pageTokens * pagesPerSplit))))
}
