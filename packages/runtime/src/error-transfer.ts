import { type TransferHandler, transferHandlers } from 'comlink'
import { BrasaError, type ErrorCode, type ErrorDetails, isBrasaError } from './errors.ts'

/** An error as it crosses between page and worker. */
type WireError =
  | {
      readonly kind: 'brasa'
      readonly code: ErrorCode
      readonly message: string
      readonly details: ErrorDetails
      readonly stack?: string
      readonly cause?: WireError
    }
  | {
      readonly kind: 'error'
      readonly name: string
      readonly message: string
      readonly stack?: string
      readonly cause?: WireError
    }
  | { readonly kind: 'value'; readonly text: string }

/** Deeper causes are dropped: a chain may be circular. */
const maxCauseDepth = 8

/**
 * Makes errors cross Comlink with their code, details and cause. Comlink's own handler keeps a name and a message only.
 * To be called once on each end, before the first call.
 */
export function installErrorTransfer(): void {
  // The marker by which Comlink knows a thrown value is private to it: keep its own test for it.
  const original = transferHandlers.get('throw')!
  const handler: TransferHandler<{ value: unknown }, WireError> = {
    canHandle: original.canHandle as TransferHandler<{ value: unknown }, WireError>['canHandle'],
    serialize: ({ value }) => [toWire(value), []],
    deserialize: (wire) => {
      throw fromWire(wire)
    },
  }
  transferHandlers.set('throw', handler)
}

function toWire(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) return { kind: 'value', text: String(error) }
  const cause =
    error.cause === undefined || depth >= maxCauseDepth ? undefined : toWire(error.cause, depth + 1)
  const common = { message: error.message, stack: error.stack, cause }
  return isBrasaError(error)
    ? { kind: 'brasa', code: error.code, details: error.details, ...common }
    : { kind: 'error', name: error.name, ...common }
}

function fromWire(wire: WireError): unknown {
  if (wire.kind === 'value') return wire.text
  const cause = wire.cause && fromWire(wire.cause)
  const error =
    wire.kind === 'brasa'
      ? new BrasaError(wire.code, { message: wire.message, details: wire.details, cause })
      : Object.assign(new Error(wire.message, cause === undefined ? undefined : { cause }), {
          name: wire.name,
        })
  // Where it was thrown in the worker says more than where the page took it up.
  if (wire.stack !== undefined) error.stack = wire.stack
  return error
}
