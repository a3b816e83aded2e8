import type { TensorInfo } from '../../formats/gguf.ts'
import { sampleLayers } from '../layer-sample.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import { createBatchBuffers, writeBatch } from './batch.ts'
import { widthFor } from './device-planes.ts'
import { allocateWeights, type DeviceBlock, type DeviceLinear } from './device-weights.ts'
import { type Dispatch, encodeDispatch } from './dispatch.ts'
import { createStorageBuffer, type Gpu, openGpu, submit } from './gpu.ts'
import { prepareMatvec } from './kernels/matvec.ts'

/** Of the timed runs, besides the one that warms up. */
const budgetMs = 60
/** What a run is meant to take: a GPU that slept needs some time to reach its speed. */
const runMs = 20
const mostPasses = 100

/**
 * Milliseconds that this GPU takes for the matrix-vector products of one layer of a decode step, on a device of its own. Those
 * of attention are not run but counted by their weights.
 * @throws BrasaError `webgpu_unavailable`, `out_of_memory`, `malformed_model`
 */
export async function timeLayer(
  spec: TransformerSpec,
  tensors: ReadonlyMap<string, TensorInfo>,
): Promise<number> {
  const gpu = await openGpu()
  try {
    const sample = sampleLayers(spec, tensors)
    const { blocks } = await allocateWeights(gpu, sample.spec, sample.weights, widthFor(gpu, 'base'))
    const dispatches = await prepareProducts(gpu, sample.spec, blocks)
    const run = (numPasses: number) => timeRun(gpu, dispatches, numPasses)
    await run(1)
    const startedAt = performance.now()
    // A run's end takes a while to be heard: one pass is taken off.
    let shortMs = await run(1)
    const numPasses = Math.max(1, Math.min(mostPasses, Math.round(runMs / shortMs)))
    let longMs = await run(1 + numPasses)
    while (performance.now() - startedAt < budgetMs) {
      shortMs = Math.min(shortMs, await run(1))
      longMs = Math.min(longMs, await run(1 + numPasses))
    }
    const passMs = longMs > shortMs ? (longMs - shortMs) / numPasses : longMs / (1 + numPasses)
    return (passMs / blocks.length) * layerPerMlp(blocks[0]!)
  } finally {
    gpu.device.destroy()
  }
}

async function timeRun(gpu: Gpu, dispatches: readonly Dispatch[], numPasses: number): Promise<number> {
  const startedAt = performance.now()
  const encoder = gpu.device.createCommandEncoder({ label: 'time a layer' })
  const pass = encoder.beginComputePass()
  for (let done = 0; done < numPasses; done++) {
    for (const dispatch of dispatches) encodeDispatch(gpu, pass, dispatch, 1)
  }
  pass.end()
  submit(gpu, encoder.finish())
  await gpu.device.queue.onSubmittedWorkDone()
  return performance.now() - startedAt
}

/** The MLP's products: half the kernels to compile, and most of a layer's weights. */
async function prepareProducts(
  gpu: Gpu,
  { hiddenSize, blocks }: TransformerSpec,
  weights: readonly DeviceBlock[],
): Promise<readonly Dispatch[]> {
  const batch = createBatchBuffers(gpu, 'time a layer', 1)
  writeBatch(gpu, batch, [{ token: 0, position: 0, sequenceSlot: 0 }])
  const { activation, intermediateSize } = blocks[0]!.mlp
  const hidden = createStorageBuffer(gpu, 'time a layer', hiddenSize * 4)
  const activated = createStorageBuffer(gpu, 'time a layer', intermediateSize * 4)
  const products = weights.flatMap(({ gateUp, down }) => [
    prepareMatvec(gpu, { ...gateUp, input: hidden, output: activated, epilogue: 'glu', activation, batch }),
    prepareMatvec(gpu, { ...down, input: activated, output: hidden, epilogue: 'add', batch }),
  ])
  return Promise.all(products)
}

/** How many times the weights of its MLP a layer has. */
function layerPerMlp({ queryKeyValue, attentionOutput, gateUp, down }: DeviceBlock): number {
  const sizeOf = (linears: readonly DeviceLinear[]) =>
    linears.reduce((sum, { weights }) => sum + weights.numRows * weights.numColumns, 0)
  const mlp = [gateUp, down]
  return sizeOf([queryKeyValue, attentionOutput, ...mlp]) / sizeOf(mlp)
}
