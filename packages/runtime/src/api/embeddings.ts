import type { OnnxClient } from '../client/onnx-client.ts'
import { BrasaError } from '../errors.ts'
import type { Embeddings } from './onnx-types.ts'
import { checkProvider, checkReference } from './sessions.ts'

/** OpenAI's embeddings, over an ONNX model. */
export function createEmbeddings(client: OnnxClient): Embeddings {
  return {
    async create({ model, input, truncate = false, provider = 'wasm' }, options = {}) {
      checkReference(model, 'model')
      checkInput(input)
      checkProvider(provider)
      return client.embed({ model, input, truncate, provider }, options)
    },
  }
}

/** @throws BrasaError `invalid_request` */
export function checkInput(input: unknown): asserts input is string | readonly string[] {
  if (typeof input === 'string') return
  if (Array.isArray(input) && input.length > 0 && input.every((text) => typeof text === 'string')) return
  throw new BrasaError('invalid_request', {
    message: '"input" must be a string, or a list of at least one.',
    details: { parameter: 'input' },
  })
}
