import type { OnnxClient } from '../client/onnx-client.ts'
import { BrasaError } from '../errors.ts'
import { checkInput } from './embeddings.ts'
import type { Classify } from './onnx-types.ts'
import { checkProvider, checkReference } from './sessions.ts'

/** Labels for texts, from an ONNX model. */
export function createClassify(client: OnnxClient): Classify {
  return async (
    { model, input, truncate = false, provider = 'wasm', embedder, activation },
    options = {},
  ) => {
    checkReference(model, 'model')
    checkInput(input)
    checkProvider(provider)
    if (embedder !== undefined) checkReference(embedder, 'embedder')
    if (activation !== undefined && activation !== 'softmax' && activation !== 'sigmoid') {
      throw new BrasaError('invalid_request', {
        message: `"activation" is ${String(activation)}; it must be "softmax" or "sigmoid".`,
        details: { parameter: 'activation' },
      })
    }
    return client.classify(
      {
        ...{ model, input, truncate, provider },
        ...(embedder === undefined ? {} : { embedder }),
        ...(activation === undefined ? {} : { activation }),
      },
      options,
    )
  }
}
