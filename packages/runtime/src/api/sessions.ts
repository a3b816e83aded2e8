import type { OnnxClient } from '../client/onnx-client.ts'
import { BrasaError } from '../errors.ts'
import type { OnnxProvider, OnnxReference, SessionOptions, Sessions } from './onnx-types.ts'

/** ONNX models that the page runs itself. */
export function createSessions(client: OnnxClient): Sessions {
  return {
    async create(reference, options: SessionOptions = {}) {
      const { provider = 'wasm', maxBatch = 1, maxWaitMs = 5 } = options
      checkReference(reference, 'reference')
      checkProvider(provider)
      check(
        Number.isInteger(maxBatch) && maxBatch >= 1,
        'maxBatch',
        maxBatch,
        'it must be a whole number from 1',
      )
      check(
        Number.isFinite(maxWaitMs) && maxWaitMs >= 0,
        'maxWaitMs',
        maxWaitMs,
        'it must be a number from 0',
      )
      const session = await client.openSession({ reference, provider, maxBatch, maxWaitMs }, options)
      const { inputs, outputs } = session.info
      return { inputs, outputs, run: session.run, release: session.release }
    },
  }
}

/** @throws BrasaError `invalid_request` */
export function checkReference(reference: unknown, parameter: string): asserts reference is OnnxReference {
  const isPart = (part: unknown) =>
    (typeof part === 'string' && part !== '') || (typeof File !== 'undefined' && part instanceof File)
  if (isPart(reference) || (Array.isArray(reference) && reference.length > 0 && reference.every(isPart)))
    return
  throw new BrasaError('invalid_request', {
    message: `"${parameter}" must be a catalogue name, a URL, a File, or a list of the files that belong together.`,
    details: { parameter },
  })
}

/** @throws BrasaError `invalid_request` */
export function checkProvider(provider: unknown): asserts provider is OnnxProvider {
  check(provider === 'wasm' || provider === 'webgpu', 'provider', provider, 'it must be "wasm" or "webgpu"')
}

function check(isRight: boolean, parameter: string, value: unknown, advice: string): void {
  if (isRight) return
  throw new BrasaError('invalid_request', {
    message: `"${parameter}" is ${String(value)}; ${advice}.`,
    details: { parameter, value: String(value) },
  })
}
