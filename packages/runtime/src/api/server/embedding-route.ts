import * as v from 'valibot'
import { BrasaError } from '../../errors.ts'
import type { Embeddings } from '../onnx-types.ts'
import { flag, text } from '../request-entries.ts'
import { parseRequest } from '../validation.ts'

const inputAllowed = 'a string, or a list of 1 to 2048 of them'

export const embeddingRequestSchema = v.strictObject({
  model: text('the name of an embedding model in the catalogue'),
  input: v.union(
    [
      v.string(inputAllowed),
      v.pipe(
        v.array(v.string(inputAllowed), inputAllowed),
        v.minLength(1, inputAllowed),
        v.maxLength(2048, inputAllowed),
      ),
    ],
    inputAllowed,
  ),
  encoding_format: v.optional(v.picklist(['float', 'base64'], '"float" or "base64"')),
  truncate: flag,
  user: v.optional(text()),
})

/** `/v1/embeddings`. Models are those that the catalogue names: an address would be fetched. */
export function createEmbeddingRoute(embeddings: Embeddings) {
  return async (body: unknown, signal: AbortSignal) => {
    const { model, input, encoding_format = 'float', truncate } = parseRequest(embeddingRequestSchema, body)
    if (!/^[a-z0-9][a-z0-9._-]*$/.test(model)) {
      throw new BrasaError('unknown_model', {
        message: `"model" is no name in the catalogue. engine.embeddings takes files and addresses too.`,
        details: { parameter: 'model' },
      })
    }
    const response = await embeddings.create({ model, input, ...(truncate && { truncate }) }, { signal })
    const encoded = encoding_format === 'base64' ? base64 : (vector: Float32Array) => Array.from(vector)
    return {
      ...response,
      data: response.data.map((item) => ({ ...item, embedding: encoded(item.embedding) })),
    }
  }
}

/** Little-endian, as every machine is that runs a browser. */
function base64({ buffer, byteOffset, byteLength }: Float32Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(buffer, byteOffset, byteLength)))
}
