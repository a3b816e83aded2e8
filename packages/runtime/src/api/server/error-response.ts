import type { BrasaError, ErrorCode } from '../../errors.ts'

/** OpenAI's error body. */
export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
  }
}

/** 400: the request is wrong, or names a model that Brasa cannot run. 503: what failed may work when asked again. */
const statusOf: Partial<Record<ErrorCode, number>> = {
  unknown_model: 404,
  queue_full: 429,
  internal: 500,
  webgpu_unavailable: 503,
  device_lost: 503,
  out_of_memory: 503,
  worker_lost: 503,
  disposed: 503,
  http_error: 503,
  network_error: 503,
  storage_unavailable: 503,
  hash_mismatch: 503,
}

const typeOf: Partial<Record<number, string>> = {
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'service_unavailable_error',
}

/** OpenAI's own codes where it has one. */
const codeOf: Partial<Record<ErrorCode, string>> = {
  unknown_model: 'model_not_found',
  queue_full: 'rate_limit_exceeded',
}

export function errorBody({ code, message, details }: BrasaError): ErrorBody {
  const type = typeOf[errorStatus(code)] ?? 'invalid_request_error'
  const param = typeof details.parameter === 'string' ? details.parameter : null
  return { error: { message, type, param, code: codeOf[code] ?? code } }
}

export const errorStatus = (code: ErrorCode) => statusOf[code] ?? 400

/** An answer in OpenAI's words; what is refused only for now says when to come back. */
export function errorResponse(error: BrasaError): Response {
  const status = errorStatus(error.code)
  const { retryAfterMs = 1000 } = error.details
  const headers: Record<string, string> =
    status === 429 || status === 503
      ? {
          'retry-after': String(Math.ceil(Number(retryAfterMs) / 1000)),
          'retry-after-ms': String(retryAfterMs),
        }
      : {}
  return Response.json(errorBody(error), { status, headers })
}
