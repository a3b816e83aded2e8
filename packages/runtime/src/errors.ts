/** Every way Brasa can fail. A caller switches on the code; the message says what to do. */
export type ErrorCode =
  // the machine
  | 'webgpu_unavailable'
  | 'device_lost'
  | 'out_of_memory'
  | 'worker_lost'
  // model files
  | 'not_a_gguf'
  | 'not_an_onnx'
  | 'malformed_model'
  | 'truncated_model'
  | 'unsupported_architecture'
  | 'unsupported_tensor_type'
  | 'unsupported_operator'
  | 'unsupported_tokenizer'
  | 'malformed_manifest'
  | 'unknown_model'
  // storage and network
  | 'http_error'
  | 'network_error'
  | 'hash_mismatch'
  | 'storage_unavailable'
  // requests
  | 'invalid_request'
  | 'context_length_exceeded'
  | 'template_failed'
  /** Too many requests wait; `details.retryAfterMs` says when to ask again. */
  | 'queue_full'
  | 'aborted'
  | 'disposed'
  | 'internal'

/** Facts about a failure that code may read: counts, names, hashes. Structured-cloneable. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>

export interface BrasaErrorOptions {
  /** A sentence for a person: what happened and what to do. */
  readonly message: string
  readonly details?: ErrorDetails
  readonly cause?: unknown
}

/** Recognises the class across duplicate copies of this package and across the worker boundary. */
const marker = Symbol.for('brasa.error')

/** The one error class of the runtime. */
export class BrasaError extends Error {
  readonly [marker] = true
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, { message, details = {}, cause }: BrasaErrorOptions) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'BrasaError'
    this.code = code
    this.details = details
  }
}

export function isBrasaError(value: unknown): value is BrasaError {
  return typeof value === 'object' && value !== null && marker in value
}

/** `error` itself if it is a BrasaError, else an `internal` one around it. */
export function toBrasaError(error: unknown): BrasaError {
  if (isBrasaError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new BrasaError('internal', { message, cause: error })
}

/** @throws BrasaError `aborted` if the signal is. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new BrasaError('aborted', { message: 'Stopped, as was asked.', cause: signal.reason })
  }
}
