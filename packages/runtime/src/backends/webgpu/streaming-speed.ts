import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { writeBatch } from './batch.ts'
import { createDecoder } from './decode.ts'
import type { DecodeVariant } from './decode-variant.ts'
import { createDeviceModel } from './device-model.ts'
import { encodeDispatch } from './dispatch.ts'
import { type Gpu, submit } from './gpu.ts'
import { createSequences } from './sequences.ts'

export interface StreamingSpeed {
  /** Four steps in flight, each token read. */
  readonly tokensPerSecond: number
  /** The same steps, of which only the end is waited for. */
  readonly unreadTokensPerSecond: number
}

const contextLength = 1024
const stepsInFlight = 4
const numRounds = 3

/** What reading tokens back costs a decode of `numTokens`: both ways in turn, the best of three each. */
export async function measureStreaming(
  gpu: Gpu,
  spec: TransformerSpec,
  weights: Weights,
  numTokens: number,
  variant?: DecodeVariant,
): Promise<StreamingSpeed> {
  const model = await createDeviceModel(gpu, spec, weights, { contextLength, maxBatchSize: 1, variant })
  const decoder = createDecoder(gpu, model)
  const sequence = createSequences(1).create(0)
  const row = { sequence, state: sequence }
  await model.reserve(sequence.slot, 0, numTokens)

  async function read(): Promise<void> {
    decoder.forgetRows()
    const inFlight: Promise<unknown>[] = []
    for (let position = 0; position < numTokens; position++) {
      if (inFlight.length === stepsInFlight) await inFlight.shift()
      const readStep = await decoder.enqueue([{ ...row, position, ...(position === 0 && { token: 1 }) }])
      inFlight.push(readStep())
    }
    await Promise.all(inFlight)
  }

  async function unread(): Promise<void> {
    const { forward, sample } = model.plan()
    writeBatch(gpu, model.buffers.decodeBatch, [{ token: 1, position: 0, sequenceSlot: sequence.slot }])
    for (let position = 0; position < numTokens; position++) {
      const encoder = gpu.device.createCommandEncoder({ label: 'decode' })
      const pass = encoder.beginComputePass()
      for (const dispatch of [...forward(position + 1), ...sample]) encodeDispatch(gpu, pass, dispatch, 1)
      pass.end()
      submit(gpu, encoder.finish())
    }
    await gpu.device.queue.onSubmittedWorkDone()
  }

  const best = { read: Number.POSITIVE_INFINITY, unread: Number.POSITIVE_INFINITY }
  await read()
  for (let round = 0; round < numRounds; round++) {
    best.read = Math.min(best.read, await secondsOf(read))
    best.unread = Math.min(best.unread, await secondsOf(unread))
  }
  return { tokensPerSecond: numTokens / best.read, unreadTokensPerSecond: numTokens / best.unread }
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}
