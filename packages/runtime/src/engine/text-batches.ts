import type { OnnxModel } from '../backends/onnx-model.ts'
import { BrasaError, throwIfAborted } from '../errors.ts'
import type { Feeds, Tensor, TensorFeed } from '../onnx-protocol.ts'

/** Rows of one run. More win nothing, and the worker hears no abort meanwhile. */
const maxRows = 32
/** Tokens of one run, padding included: long texts run in smaller batches. */
const maxTokens = 4096

/** A batch of token ids, padded on the right to one length. */
export interface TokenBatch {
  /** Places of the rows in the input. */
  readonly indices: readonly number[]
  /** Tokens of each row, without the padding. */
  readonly lengths: readonly number[]
  readonly paddedLength: number
  readonly feeds: Feeds
}

/** The inputs that a text model of ONNX may have. */
const textInputs = ['input_ids', 'attention_mask', 'token_type_ids']

/** @throws BrasaError `invalid_request` if the model wants other inputs than tokens, their mask and their type */
export function checkTextModel({ inputs }: OnnxModel, id: string): void {
  const other = inputs.find(({ name }) => !textInputs.includes(name))
  if (other === undefined && inputs.some(({ name }) => name === 'input_ids')) return
  throw new BrasaError('invalid_request', {
    message: `${id} does not take token ids alone: its inputs are ${inputs.map(({ name }) => name).join(', ')}. Run it with engine.sessions.`,
  })
}

/** Cuts rows into batches of similar length, so that little is computed for padding. */
export function tokenBatches(
  rows: readonly (readonly number[])[],
  model: OnnxModel,
  padId: number,
): readonly TokenBatch[] {
  const order = rows.map((_, index) => index).sort((a, b) => rows[a]!.length - rows[b]!.length)
  const batches: TokenBatch[] = []
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    // The longest row comes last: with it the padded size grows.
    while (
      end < order.length &&
      end - start < maxRows &&
      (end - start + 1) * rows[order[end]!]!.length <= maxTokens
    )
      end++
    batches.push(padded(order.slice(start, end), rows, model, padId))
    start = end
  }
  return batches
}

function padded(
  indices: readonly number[],
  rows: readonly (readonly number[])[],
  model: OnnxModel,
  padId: number,
): TokenBatch {
  const lengths = indices.map((index) => rows[index]!.length)
  const paddedLength = Math.max(...lengths)
  const size = indices.length * paddedLength
  const values: Record<string, number[]> = {
    input_ids: new Array<number>(size).fill(padId),
    attention_mask: new Array<number>(size).fill(0),
    token_type_ids: new Array<number>(size).fill(0),
  }
  for (const [row, index] of indices.entries()) {
    for (const [column, token] of rows[index]!.entries()) {
      values.input_ids![row * paddedLength + column] = token
      values.attention_mask![row * paddedLength + column] = 1
    }
  }
  const feeds = model.inputs.map(({ name, type }): [string, TensorFeed] => [
    name,
    {
      dims: [indices.length, paddedLength],
      data: type === 'int64' ? BigInt64Array.from(values[name]!, BigInt) : Int32Array.from(values[name]!),
    },
  ])
  return { indices, lengths, paddedLength, feeds: Object.fromEntries(feeds) }
}

/** Runs the batches one after another; between them the worker hears what else is asked of it. */
export async function runBatches(
  model: OnnxModel,
  batches: readonly TokenBatch[],
  signal: AbortSignal,
  take: (batch: TokenBatch, outputs: Readonly<Record<string, Tensor>>) => void,
): Promise<void> {
  for (const batch of batches) {
    throwIfAborted(signal)
    take(batch, await model.run(batch.feeds))
    await new Promise((resolve) => setTimeout(resolve))
  }
}
