import batchWgsl from '#shaders/common/batch.wgsl?raw'
import weightWgsl from '#shaders/common/plane_weight.wgsl?raw'
import embedWgsl from '#shaders/embed.wgsl?raw'
import type { BatchBuffers } from '../batch.ts'
import { reads, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import type { WeightMatrix } from '../weight-matrix.ts'
import { scaleConstants, scalesWgsl } from './planes-wgsl.ts'

const formats = { q4: 0, q5: 1, q6: 2, q8: 3, f16: 4, f32: 5 }

export interface EmbedBindings {
  /** (vocabSize, hiddenSize) */
  readonly table: WeightMatrix
  /** Multiplies the rows; 1 if absent. */
  readonly scale?: number | undefined
  readonly batch: BatchBuffers
  /** (batch rows, hiddenSize) */
  readonly output: GPUBuffer
}

/** Row r of the output is `scale` times the table's row of batch row r's token. */
export function prepareEmbed(gpu: Gpu, bindings: EmbedBindings): Promise<Dispatch> {
  const { table, batch, output } = bindings
  return prepareDispatch(
    gpu,
    {
      label: `embed_${table.layout.format}`,
      code: batchWgsl + scalesWgsl[table.layout.scales] + weightWgsl + embedWgsl,
      constants: tableConstants(bindings),
    },
    [reads(table.quants), reads(table.scales), reads(batch.rows), writes(output)],
    (numRows) => [Math.ceil(table.numColumns / 64), numRows, 1],
  )
}

/** The `override` values of a kernel that looks up rows of `table`. */
export function tableConstants({ table, scale = 1 }: EmbedBindings): Record<string, number> {
  const { layout, numColumns } = table
  return {
    format: formats[layout.format],
    numColumns,
    scale,
    // Float formats have none, and never divide by it; the compiler looks all the same.
    groupSize: Math.max(1, layout.groupSize),
    ...scaleConstants(layout),
  }
}
