import * as v from 'valibot'
import type { LoadOnnxModel, OnnxModel } from '../backends/onnx-model.ts'
import { BrasaError } from '../errors.ts'
import type { ClassifyRequest, ClassifyResponse, LabelScore, OnnxProvider, Tensor } from '../onnx-protocol.ts'
import { type Embedder, embedTexts } from './embeddings.ts'
import type { OnnxFiles } from './onnx-files.ts'
import { checkTextModel, runBatches, tokenBatches } from './text-batches.ts'
import { createTextEncoder, type TextEncoder } from './text-encoder.ts'

/** A model that gives each label of a text a number. */
export interface Classifier {
  readonly id: string
  readonly model: OnnxModel
  /** By class; empty where config.json names none. */
  readonly labels: readonly string[]
  readonly activation: 'softmax' | 'sigmoid'
  /** Undefined where the model takes embeddings. */
  readonly encoder: TextEncoder | undefined
}

/** Of config.json, as Transformers writes it. */
const configSchema = v.looseObject({
  id2label: v.optional(v.record(v.string(), v.string())),
  problem_type: v.nullish(v.string()),
})

/** @throws BrasaError `invalid_request`, `malformed_model`, and what loading throws */
export async function loadClassifier(
  files: OnnxFiles,
  loadModel: LoadOnnxModel,
  provider: OnnxProvider,
): Promise<Classifier> {
  const config = v.safeParse(configSchema, (await files.findJson('config.json')) ?? {})
  if (!config.success) {
    throw new BrasaError('malformed_model', {
      message: `config.json of ${files.id} cannot be read: ${config.issues[0].message}. Get it again.`,
    })
  }
  const bytes = await files.readBytes()
  files.progress.enter('compile')
  const model = await loadModel(bytes, provider)
  try {
    let encoder: TextEncoder | undefined
    if (embeddingInput(model) === undefined) {
      checkTextModel(model, files.id)
      encoder = await createTextEncoder(files)
    }
    files.progress.enter('ready')
    return {
      ...{ id: files.id, model, encoder, labels: labelsOf(config.output.id2label ?? {}) },
      activation: config.output.problem_type === 'multi_label_classification' ? 'sigmoid' : 'softmax',
    }
  } catch (error) {
    await model.release()
    throw error
  }
}

function labelsOf(id2label: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(id2label)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, label]) => label)
}

/** The one input of a head that was trained on embeddings: (rows, hidden size). */
function embeddingInput({ inputs }: OnnxModel): string | undefined {
  const [input] = inputs
  return inputs.length === 1 && input?.type === 'float32' && input.dims.length === 2 ? input.name : undefined
}

/** @throws BrasaError `invalid_request`, `context_length_exceeded`, `aborted` */
export async function classify(
  classifier: Classifier,
  embedder: Embedder | undefined,
  { input, truncate = false, activation = classifier.activation }: ClassifyRequest,
  signal: AbortSignal,
): Promise<ClassifyResponse> {
  const { id, encoder } = classifier
  const texts = [input].flat()
  let result: LogitRows
  if (encoder !== undefined) result = await logitsOfTokens(classifier, encoder, texts, truncate, signal)
  else if (embedder !== undefined)
    result = await logitsOfEmbeddings(classifier, embedder, texts, truncate, signal)
  else {
    throw new BrasaError('invalid_request', {
      message: `${id} takes embeddings, not tokens: name the model that makes them as "embedder".`,
      details: { parameter: 'embedder' },
    })
  }
  return {
    model: id,
    data: result.logits.map((logits, index) => {
      const scores = labelled(activation === 'softmax' ? softmax(logits) : logits.map(sigmoid), classifier)
      return { index, ...scores[0]!, scores }
    }),
    usage: { prompt_tokens: result.numTokens, total_tokens: result.numTokens },
  }
}

interface LogitRows {
  readonly logits: readonly (readonly number[])[]
  readonly numTokens: number
}

async function logitsOfTokens(
  { id, model }: Classifier,
  encoder: TextEncoder,
  texts: readonly string[],
  truncate: boolean,
  signal: AbortSignal,
): Promise<LogitRows> {
  const rows = encoder.encode(texts, truncate)
  const logits: (readonly number[])[] = new Array(rows.length)
  await runBatches(model, tokenBatches(rows, model, encoder.padId), signal, (batch, outputs) => {
    const read = rowsOf(outputs, batch.indices.length, id)
    for (const [row, index] of batch.indices.entries()) logits[index] = read[row]!
  })
  return { logits, numTokens: rows.reduce((sum, row) => sum + row.length, 0) }
}

async function logitsOfEmbeddings(
  { id, model }: Classifier,
  embedder: Embedder,
  texts: readonly string[],
  truncate: boolean,
  signal: AbortSignal,
): Promise<LogitRows> {
  const { vectors, numTokens } = await embedTexts(embedder, texts, truncate, signal)
  if (vectors.length === 0) return { logits: [], numTokens }
  const hiddenSize = vectors[0]!.length
  const data = new Float32Array(vectors.length * hiddenSize)
  for (const [row, vector] of vectors.entries()) data.set(vector, row * hiddenSize)
  const outputs = await model.run({
    [embeddingInput(model)!]: { dims: [vectors.length, hiddenSize], data },
  })
  return { logits: rowsOf(outputs, vectors.length, id), numTokens }
}

/** The output of shape (rows, labels). */
function rowsOf(
  outputs: Readonly<Record<string, Tensor>>,
  numRows: number,
  id: string,
): readonly (readonly number[])[] {
  for (const { data, dims } of Object.values(outputs)) {
    if (!(data instanceof Float32Array) || dims.length !== 2 || dims[0] !== numRows) continue
    const numLabels = dims[1]!
    return Array.from({ length: numRows }, (_, row) => [
      ...data.subarray(row * numLabels, (row + 1) * numLabels),
    ])
  }
  throw new BrasaError('invalid_request', {
    message: `${id} is no classifier: it has no float32 output of one number a label. Run it with engine.sessions.`,
  })
}

function labelled(scores: readonly number[], { labels }: Classifier): readonly LabelScore[] {
  return scores
    .map((score, index) => ({ label: labels[index] ?? `LABEL_${index}`, score }))
    .sort((a, b) => b.score - a.score)
}

function softmax(logits: readonly number[]): readonly number[] {
  const highest = Math.max(...logits)
  const powers = logits.map((logit) => Math.exp(logit - highest))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit))
