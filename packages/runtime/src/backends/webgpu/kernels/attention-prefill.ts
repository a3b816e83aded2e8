import prefillWgsl from '#shaders/attention_prefill.wgsl?raw'
import { writes } from '../bindings.ts'
import { type Dispatch, prepareDispatch } from '../dispatch.ts'
import type { Gpu } from '../gpu.ts'
import { type AttentionBindings, attentionInputs, headTiling, serialAttentionSource } from './attention.ts'

/** Each row of a chunk attends to the positions of its sequence up to its own. One dispatch. */
export function prepareAttentionPrefill(gpu: Gpu, bindings: AttentionBindings): Promise<Dispatch> {
  const { shape, output, maxPagesPerSequence } = bindings
  const tiles = shape.numKvHeads * headTiling(shape).headTiles
  return prepareDispatch(
    gpu,
    serialAttentionSource('attention_prefill', prefillWgsl, shape, maxPagesPerSequence),
    [...attentionInputs(bindings), writes(output)],
    (numRows) => [Math.ceil(numRows / 4), tiles, 1],
  )
}
