import { throwIfAborted } from '../../errors.ts'
import { type BatchRow, writeBatch } from './batch.ts'
import type { DeviceModel } from './device-model.ts'
import { type Dispatch, encodeDispatch } from './dispatch.ts'
import { type Gpu, submit } from './gpu.ts'
import type { SequenceState } from './sequences.ts'

/** What one submit should take: short enough for Stop, other tabs and the driver's watchdog. */
const targetMs = 50

/** Submits handed to the device before waiting for the oldest: one runs while the next is recorded. */
const maxInFlight = 2

/** Learns how many layers fit in one submit on this device. Lives as long as the executor. */
export interface Pacing {
  layersPerSubmit: number
}

/** One layer a submit until something was measured. */
export const createPacing = (): Pacing => ({ layersPerSubmit: 1 })

/**
 * Computes keys and values of `tokens` (at most a chunk) after those the sequence holds, and adds them to it.
 * @throws BrasaError `aborted`: the sequence is then as it was
 */
export async function prefillChunk(
  gpu: Gpu,
  model: DeviceModel,
  state: SequenceState,
  tokens: Uint32Array,
  pacing: Pacing,
  signal?: AbortSignal,
): Promise<void> {
  await model.reserve(state.slot, state.length, state.length + tokens.length)
  const rows = Array.from(tokens, (token, i): BatchRow => {
    return { token, position: state.length + i, sequenceSlot: state.slot }
  })
  writeBatch(gpu, model.buffers.prefillBatch, rows)
  await runLayers(gpu, model.plan().prefill, rows.length, pacing, signal)
  state.length += tokens.length
  state.lastToken = undefined
}

/**
 * Runs the layers of one chunk in several submits of about 50 ms each.
 * @throws BrasaError `aborted` between submits; keys and values of the chunk are then only partly written
 */
async function runLayers(
  gpu: Gpu,
  layers: readonly (readonly Dispatch[])[],
  numRows: number,
  pacing: Pacing,
  signal?: AbortSignal,
): Promise<void> {
  const inFlight: Promise<undefined>[] = []
  let lastDone = performance.now()
  for (let layer = 0; layer < layers.length; ) {
    throwIfAborted(signal)
    const group = layers.slice(layer, layer + pacing.layersPerSubmit)
    layer += group.length
    const encoder = gpu.device.createCommandEncoder({ label: 'prefill' })
    const pass = encoder.beginComputePass()
    for (const dispatch of group.flat()) encodeDispatch(gpu, pass, dispatch, numRows)
    pass.end()
    submit(gpu, encoder.finish())
    inFlight.push(gpu.device.queue.onSubmittedWorkDone())
    if (inFlight.length < maxInFlight) continue
    await inFlight.shift()
    const now = performance.now()
    adapt(pacing, (now - lastDone) / group.length)
    lastDone = now
  }
  await Promise.all(inFlight)
}

function adapt(pacing: Pacing, msPerLayer: number): void {
  const fitting = Math.max(1, Math.floor(targetMs / Math.max(msPerLayer, 0.01)))
  // At most doubled at once: the first chunk's times hold compilation and a cold cache.
  pacing.layersPerSubmit = Math.min(fitting, pacing.layersPerSubmit * 2)
}
