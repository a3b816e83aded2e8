import batchWgsl from '#shaders/common/batch.wgsl?raw'
import weightWgsl from '#shaders/common/plane_weight.wgsl?raw'
import embedWgsl from '#shaders/embed_gained.wgsl?raw'
import { reads, writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import { type EmbedBindings, tableConstants } from './embed.ts'
import { addedSquares, type GainedBuffer } from './gained.ts'
import { scalesWgsl } from './planes-wgsl.ts'

/** Components a thread: in narrow models as many parts as the quads kernels leave, which then share a pipeline. */
const run = 8

/** As `prepareEmbed`, and leaves the rows ready for the norm with `gain`. */
export function prepareEmbedGained(
  gpu: Gpu,
  bindings: EmbedBindings & { readonly gain: GPUBuffer; readonly gained: GainedBuffer },
): Promise<Dispatch> {
  const { table, batch, output, gain, gained } = bindings
  return prepareDispatch(
    gpu,
    {
      label: `embed_gained_${table.layout.format}`,
      code: batchWgsl + scalesWgsl[table.layout.scales] + weightWgsl + embedWgsl,
      constants: { ...tableConstants(bindings), ...addedSquares(gained), run },
    },
    [
      reads(table.quants),
      reads(table.scales),
      reads(batch.rows),
      writes(output),
      reads(gain),
      writes(gained.buffer),
    ],
    (numRows) => [Math.ceil(table.numColumns / run / 4), numRows, 1],
  )
}

/** How many parts it leaves its squares in. */
export const embedSquares = (hiddenSize: number): number => Math.ceil(hiddenSize / run)
