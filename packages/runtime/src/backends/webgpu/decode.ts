import { BrasaError } from '../../errors.ts'
import type { StepResult, StepRow } from '../executor.ts'
import { reportLogprobs, wantsLogits } from '../logprobs.ts'
import { writeBatch } from './batch.ts'
import type { DeviceModel } from './device-model.ts'
import { type Dispatch, encodeDispatch } from './dispatch.ts'
import { type Gpu, submit } from './gpu.ts'
import { noToken } from './kernels/sampling.ts'
import { copyOnce, createReadbackRing } from './readback.ts'
import type { SequenceState } from './sequences.ts'

/** A row whose sequence and place are settled. */
export interface PlacedRow extends StepRow {
  readonly state: SequenceState
  /** Of the token that this row adds. */
  readonly position: number
}

export interface Decoder {
  /** Submits one step, in two parts where a row waits for its mask, and returns how to read what it sampled. */
  enqueue(rows: readonly PlacedRow[]): Promise<() => Promise<StepResult[]>>
  /** The rows on the device are out of date: the next step writes them. */
  forgetRows(): void
}

export function createDecoder(gpu: Gpu, model: DeviceModel): Decoder {
  const { activations, decodeBatch, sampling } = model.buffers
  const { vocabSize } = model.spec
  const readback = createReadbackRing(gpu, model.maxBatchSize * 4)
  /** The sequences of the rows that the device holds and advances by itself; null where the host must write them. */
  let resident: readonly SequenceState[] | null = null

  function placeRows(rows: readonly PlacedRow[]): void {
    const fedBack = rows.every(({ token }) => token === undefined)
    const inPlace = resident?.length === rows.length && rows.every(({ state }, i) => state === resident![i])
    if (fedBack && inPlace) return
    const written = rows.map(({ token, state, position }) => {
      const known = token ?? state.lastToken
      if (known === undefined) {
        throw new BrasaError('internal', {
          message: 'A row needs a token: its sequence has none that it sampled last.',
        })
      }
      return { token: known, position, sequenceSlot: state.slot }
    })
    writeBatch(gpu, decodeBatch, written)
    resident = rows.map(({ state }) => state)
  }

  function encode(encoder: GPUCommandEncoder, dispatches: readonly Dispatch[], numRows: number): void {
    const pass = encoder.beginComputePass()
    for (const dispatch of dispatches) encodeDispatch(gpu, pass, dispatch, numRows)
    pass.end()
  }

  return {
    async enqueue(rows) {
      for (const { state, position } of rows) await model.reserve(state.slot, position, position + 1)
      placeRows(rows)
      const { sample, forward: forwardOf } = model.plan()
      const forward = forwardOf(Math.max(...rows.map(({ position }) => position + 1)))
      let encoder = gpu.device.createCommandEncoder({ label: 'decode' })
      if (rows.some(({ allowedTokens }) => allowedTokens)) {
        encode(encoder, forward, rows.length)
        submit(gpu, encoder.finish())
        const masks = await Promise.all(rows.map(({ allowedTokens }) => allowedTokens?.()))
        for (const [i, { state }] of rows.entries()) sampling.setMask(state.slot, masks[i])
        encoder = gpu.device.createCommandEncoder({ label: 'sample' })
        encode(encoder, sample, rows.length)
      } else {
        for (const { state } of rows) sampling.setMask(state.slot, undefined)
        encode(encoder, [...forward, ...sample], rows.length)
      }
      const readTokens = readback.copy(encoder, activations.sampled, rows.length * 4)
      const logitsBytes = rows.length * vocabSize * 4
      const readLogits = rows.some(wantsLogits)
        ? copyOnce(gpu, encoder, activations.logits, logitsBytes)
        : undefined
      submit(gpu, encoder.finish())
      return async () => {
        const [tokens, logits] = await Promise.all([readTokens(), readLogits?.()])
        return rows.map((row, i) => {
          const { state, position } = row
          const token = checked(tokens[i]!)
          if (state.length === position + 1) state.lastToken = token
          const ofRow = logits && new Float32Array(logits.buffer, i * vocabSize * 4, vocabSize)
          return { token, ...reportLogprobs(ofRow, row) }
        })
      }
    },
    forgetRows() {
      resident = null
    },
  }
}

/** @throws BrasaError `internal` where a row had no logit that is a number */
function checked(token: number): number {
  if (token !== noToken) return token
  throw new BrasaError('internal', {
    message:
      'The model computed no usable numbers: its file may be damaged, or the graphics driver is at fault. Remove it and load it again.',
  })
}
