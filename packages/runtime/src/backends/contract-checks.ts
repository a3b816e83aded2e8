import { BrasaError } from '../errors.ts'
import type { Executor, Sequence } from './executor.ts'

/** What the executor contract refuses, in the same words on every backend. */

/** Steps that may be enqueued before the oldest is read. */
export const maxStepsInFlight = 4

/** @throws BrasaError `context_length_exceeded` unless `numTokens` more fit */
export function checkRoom(
  { length }: Sequence,
  numTokens: number,
  { contextLength }: Pick<Executor, 'contextLength'>,
): void {
  if (length + numTokens <= contextLength) return
  throw new BrasaError('context_length_exceeded', {
    message: `The sequence holds ${length} tokens and ${numTokens} more do not fit in the context of ${contextLength}. Shorten the conversation, or load with a larger contextLength.`,
    details: { numTokens: length + numTokens, contextLength },
  })
}

/** @throws BrasaError `invalid_request` for a wrong number of rows, `internal` for a step too many */
export function checkStep(
  numRows: number,
  stepsInFlight: number,
  { maxBatchSize }: Pick<Executor, 'maxBatchSize'>,
): void {
  if (numRows === 0 || numRows > maxBatchSize) {
    throw new BrasaError('invalid_request', {
      message: `A step has 1 to ${maxBatchSize} rows, not ${numRows}.`,
    })
  }
  if (stepsInFlight >= maxStepsInFlight) {
    throw new BrasaError('internal', {
      message: `Read a step before enqueueing more than ${maxStepsInFlight}.`,
    })
  }
}

/** @throws BrasaError `internal` unless `length` is a whole number of tokens that the sequence holds */
export function checkRollback(sequence: Sequence, length: number): void {
  if (Number.isInteger(length) && length >= 0 && length <= sequence.length) return
  throw new BrasaError('internal', { message: `Cannot roll back ${sequence.length} tokens to ${length}.` })
}
