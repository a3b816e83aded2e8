import { BrasaError } from '../../errors.ts'
import type { DecodeChoice, DecodeVariant } from '../executor.ts'
import type { Remembered } from '../remembered.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { widthFor } from './device-planes.ts'
import type { Gpu } from './gpu.ts'
import { kernelVersion } from './kernels/kernel-version.ts'
import { timeVariants, type VariantTimes } from './time-variants.ts'
import { type MatrixPlan, planWeights } from './weight-plan.ts'

export interface VariantOptions {
  /** The one asked for. */
  readonly variant?: DecodeVariant | undefined
  readonly remembered?: Remembered<VariantTimes> | undefined
  readonly contextLength: number
  readonly maxBatchSize: number
}

/**
 * The variant asked for; else, where there is something to remember it in, the fastest on this adapter of those that give what
 * `base` gives, measured at the first load; else `base`.
 * @throws BrasaError `invalid_request` for a variant that the adapter cannot run
 */
export async function chooseVariant(
  gpu: Gpu,
  spec: TransformerSpec,
  weights: Pick<Weights, 'tensors'>,
  { variant, remembered, ...limits }: VariantOptions,
  time: typeof timeVariants = timeVariants,
): Promise<DecodeChoice> {
  const unmeasured = { layerMs: {}, refused: {} }
  if (variant !== undefined) {
    checkRuns(gpu, variant)
    return { variant, reason: `"${variant}" was asked for.`, ...unmeasured }
  }
  const candidates = candidatesOn(gpu)
  if (remembered === undefined || candidates.length === 1) {
    return { variant: 'base', reason: 'Nothing was measured.', ...unmeasured }
  }
  const key = keyOf(gpu, spec, weights)
  // Without storage every load measures.
  const known = await remembered.get(key).catch(() => undefined)
  if (known !== undefined) return fastestOf(known)
  try {
    const times = await time(gpu, spec, weights, { candidates, ...limits })
    await remembered.set(key, times).catch(() => undefined)
    return fastestOf(times)
  } catch (error) {
    // A model that fits only just leaves no room for a sample of it.
    if (error instanceof BrasaError && error.code !== 'out_of_memory') throw error
    const why = error instanceof Error ? error.message : String(error)
    return { variant: 'base', reason: `The variants could not be measured: ${why}`, ...unmeasured }
  }
}

function checkRuns(gpu: Gpu, variant: DecodeVariant): void {
  if (variant !== 'quads' || gpu.hasQuads) return
  throw new BrasaError('invalid_request', {
    message: `The variant "quads" needs subgroups of four lanes, which ${gpu.adapterName} does not have. Leave it out, or take "fused".`,
  })
}

/** What is worth compiling here. `fused` waits at barriers, which on SwiftShader took it 4 to 20 times as long as `base`. */
function candidatesOn(gpu: Gpu): readonly DecodeVariant[] {
  const withQuads = gpu.hasQuads ? (['quads'] as const) : []
  return gpu.isSoftware ? ['base', ...withQuads] : ['base', 'fused', ...withQuads]
}

function fastestOf({ layerMs, refused }: VariantTimes): DecodeChoice {
  const measured = Object.entries(layerMs) as [DecodeVariant, number][]
  const [variant] = measured.reduce((best, one) => (one[1] < best[1] ? one : best))
  const figures = measured.map(([name, ms]) => `"${name}" ${Number(ms.toPrecision(2))} ms`).join(', ')
  const refusals = Object.entries(refused).map(([name, why]) => ` "${name}" was refused: ${why}.`)
  return {
    variant,
    reason: `"${variant}" was the fastest here. For one layer: ${figures}.${refusals.join('')}`,
    layerMs,
    refused,
  }
}

/** The adapter, its driver as far as a page may know (the browser brings one, or names it), the kernels, and the model's shape. */
function keyOf(gpu: Gpu, spec: TransformerSpec, { tensors }: Pick<Weights, 'tensors'>): string {
  const userAgent = globalThis.navigator?.userAgent ?? ''
  const { embedding, blocks } = planWeights(spec, tensors, widthFor(gpu, 'base'))
  const shapeOf = ({ layout, numRows, numColumns }: MatrixPlan) =>
    `${layout.format} ${layout.scales} ${layout.groupSize} ${numRows}x${numColumns}`
  const { queryKeyValue, attentionOutput, gateUp, down } = blocks[0]!
  const matrices = [queryKeyValue, attentionOutput, gateUp, down].map(({ matrix }) => shapeOf(matrix))
  return JSON.stringify([
    'variant',
    gpu.adapterKey,
    userAgent,
    kernelVersion,
    shapeOf(embedding),
    ...matrices,
  ])
}
