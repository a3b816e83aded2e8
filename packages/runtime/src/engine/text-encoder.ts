import { Tokenizer } from '@huggingface/tokenizers'
import * as v from 'valibot'
import { BrasaError } from '../errors.ts'
import type { OnnxFiles } from './onnx-files.ts'

/** Turns texts into the token ids that a text model of ONNX takes. */
export interface TextEncoder {
  readonly padId: number
  /** @throws BrasaError `context_length_exceeded`, unless the text is to be cut */
  encode(texts: readonly string[], truncate: boolean): readonly (readonly number[])[]
}

/** Of tokenizer.json, what is read here besides the library. */
const tokenizerSchema = v.looseObject({
  model: v.looseObject({ type: v.optional(v.string()) }),
  truncation: v.nullish(v.looseObject({ max_length: v.number() })),
  padding: v.nullish(v.looseObject({ pad_id: v.number() })),
})

/** BERT's positions, where nothing says how many a model has. */
const defaultContextLength = 512

/** @throws BrasaError `unsupported_tokenizer` */
export async function createTextEncoder(files: OnnxFiles): Promise<TextEncoder> {
  const parsed = v.safeParse(tokenizerSchema, await files.readJson('tokenizer.json'))
  if (!parsed.success) throw unsupported(files.id, 'it is not a tokenizer.json')
  const { truncation, padding } = parsed.output
  const contextLength = files.contextLength ?? truncation?.max_length ?? defaultContextLength
  let tokenizer: Tokenizer
  try {
    tokenizer = new Tokenizer(parsed.output, {})
  } catch (cause) {
    throw unsupported(files.id, cause instanceof Error ? cause.message : String(cause), cause)
  }

  return {
    padId: padding?.pad_id ?? 0,
    encode: (texts, truncate) =>
      texts.map((text, index) => {
        const { ids } = tokenizer.encode(text)
        if (ids.length <= contextLength) return ids
        // The last token closes the text ([SEP]).
        if (truncate) return [...ids.slice(0, contextLength - 1), ids.at(-1)!]
        throw new BrasaError('context_length_exceeded', {
          message: `Text ${index} has ${ids.length} tokens; ${files.id} takes ${contextLength}. Split it, or set truncate: true to cut it.`,
          details: { index, numTokens: ids.length, contextLength },
        })
      }),
  }
}

function unsupported(id: string, reason: string, cause?: unknown): BrasaError {
  return new BrasaError('unsupported_tokenizer', {
    message: `The tokenizer of ${id} cannot be used: ${reason}.`,
    cause,
  })
}
