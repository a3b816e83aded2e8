import type { LoadOnnxModel, OnnxModel } from '../backends/onnx-model.ts'
import { BrasaError } from '../errors.ts'
import type { EmbeddingRequest, EmbeddingResponse, OnnxProvider, Tensor } from '../onnx-protocol.ts'
import type { OnnxFiles } from './onnx-files.ts'
import { checkTextModel, runBatches, type TokenBatch, tokenBatches } from './text-batches.ts'
import { createTextEncoder, type TextEncoder } from './text-encoder.ts'

/** A model that makes a vector of a text. */
export interface Embedder {
  readonly id: string
  readonly model: OnnxModel
  readonly encoder: TextEncoder
}

export interface EmbeddedTexts {
  /** Unit vectors, in the order of the input. */
  readonly vectors: readonly Float32Array<ArrayBuffer>[]
  readonly numTokens: number
}

/** @throws BrasaError `invalid_request` if the model's inputs are not tokens, and what loading throws */
export async function loadEmbedder(
  files: OnnxFiles,
  loadModel: LoadOnnxModel,
  provider: OnnxProvider,
): Promise<Embedder> {
  const encoder = await createTextEncoder(files)
  const bytes = await files.readBytes()
  files.progress.enter('compile')
  const model = await loadModel(bytes, provider)
  try {
    checkTextModel(model, files.id)
  } catch (error) {
    await model.release()
    throw error
  }
  files.progress.enter('ready')
  return { id: files.id, model, encoder }
}

/** @throws BrasaError `context_length_exceeded`, `aborted`, `malformed_model` */
export async function embed(
  embedder: Embedder,
  { input, truncate = false }: EmbeddingRequest,
  signal: AbortSignal,
): Promise<EmbeddingResponse> {
  const { vectors, numTokens } = await embedTexts(embedder, [input].flat(), truncate, signal)
  return {
    object: 'list',
    model: embedder.id,
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    usage: { prompt_tokens: numTokens, total_tokens: numTokens },
  }
}

/** Mean over each text's tokens, scaled to length 1 (Reimers and Gurevych 2019, section 3). */
export async function embedTexts(
  { id, model, encoder }: Embedder,
  texts: readonly string[],
  truncate: boolean,
  signal: AbortSignal,
): Promise<EmbeddedTexts> {
  const rows = encoder.encode(texts, truncate)
  const vectors: Float32Array<ArrayBuffer>[] = new Array(rows.length)
  await runBatches(model, tokenBatches(rows, model, encoder.padId), signal, (batch, outputs) => {
    const hidden = hiddenStates(outputs, batch, id)
    for (const [row, index] of batch.indices.entries()) vectors[index] = pooled(hidden, batch, row)
  })
  return { vectors, numTokens: rows.reduce((sum, row) => sum + row.length, 0) }
}

/** The output of shape (rows, tokens, hidden size). */
function hiddenStates(
  outputs: Readonly<Record<string, Tensor>>,
  { indices, paddedLength }: TokenBatch,
  id: string,
): { data: Float32Array; hiddenSize: number } {
  const found = Object.values(outputs).find(
    ({ dims, data }) =>
      data instanceof Float32Array &&
      dims.length === 3 &&
      dims[0] === indices.length &&
      dims[1] === paddedLength,
  )
  if (found !== undefined) return { data: found.data as Float32Array, hiddenSize: found.dims[2]! }
  const shapes = Object.entries(outputs).map(
    ([name, { type, dims }]) => `${name} ${type}[${dims.join(', ')}]`,
  )
  throw new BrasaError('invalid_request', {
    message: `${id} is no embedding model: it has no float32 output of one vector a token, but ${shapes.join(', ')}. Run it with engine.sessions.`,
  })
}

function pooled(
  { data, hiddenSize }: { data: Float32Array; hiddenSize: number },
  { lengths, paddedLength }: TokenBatch,
  row: number,
): Float32Array<ArrayBuffer> {
  const sum = new Float64Array(hiddenSize)
  for (let token = 0; token < lengths[row]!; token++) {
    const start = (row * paddedLength + token) * hiddenSize
    for (let column = 0; column < hiddenSize; column++) sum[column]! += data[start + column]!
  }
  // The length of the sum cancels the number of tokens.
  const length = Math.hypot(...sum) || 1
  return Float32Array.from(sum, (value) => value / length)
}
