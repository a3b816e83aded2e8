import { BrasaError } from '../errors.ts'
import type { GgufValue } from '../formats/gguf.ts'
import { type Metadata, metadataOf } from '../formats/metadata.ts'

/** What a token is for: `tokenizer.ggml.token_type` of the GGUF specification. */
export const tokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** The part of a tokenizer that is the same for every algorithm. */
export interface Vocabulary {
  /** As the file spells them: byte-level characters, or U+2581 for a space. */
  readonly tokens: readonly string[]
  /** A `tokenType` for each token. */
  readonly types: Uint8Array
  readonly bosTokenId: number | undefined
  /** The one that the file names. */
  readonly eosTokenId: number | undefined
  /** That one, and what else ends an answer. */
  readonly eosTokenIds: ReadonlySet<number>
}

/**
 * Tokens that end an answer by their name, whatever the file's metadata says of them: files often name only one of the two
 * or three that a model was trained to stop at, and some mark them as ordinary text.
 */
const endOfTurnNames: ReadonlySet<string> = new Set([
  '<|im_end|>',
  '<|endoftext|>',
  '<|eot_id|>',
  '<|eom_id|>',
  '<|end_of_text|>',
  '<|end|>',
  '<|return|>',
  '<end_of_turn>',
  '<end_of_utterance>',
  '<|end▁of▁sentence|>',
  '</s>',
  '<EOT>',
])

/** Those of `endOfTurnNames` that web pages and programs hold too: they count only where the file marks them as control. */
const alsoOrdinaryText: ReadonlySet<string> = new Set(['</s>', '<EOT>'])

export const tokenizerMetadata = (metadata: ReadonlyMap<string, GgufValue>): Metadata =>
  metadataOf({ metadata }, 'tokenizer.ggml.')

/** @throws BrasaError `malformed_model` where there are no tokens, or a type or an id does not fit them */
export function readVocabulary(metadata: Metadata): Vocabulary {
  const tokens = metadata.strings('tokens')
  if (tokens.length === 0) throw malformedTokenizer('The tokenizer has no tokens.')

  const types = new Uint8Array(tokens.length).fill(tokenType.normal)
  if (metadata.has('token_type')) {
    const given = metadata.numbers('token_type')
    if (given.length !== tokens.length) {
      throw malformedTokenizer(`The tokenizer has ${tokens.length} tokens and ${given.length} token types.`)
    }
    types.set(given)
  }

  const tokenId = (key: string): number | undefined => {
    if (!metadata.has(key)) return undefined
    const id = metadata.number(key)
    if (Number.isInteger(id) && id >= 0 && id < tokens.length) return id
    throw malformedTokenizer(`tokenizer.ggml.${key} is ${id}; the vocabulary has ${tokens.length} tokens.`)
  }

  const eosTokenIds = new Set<number>()
  for (const key of ['eos_token_id', 'eot_token_id', 'eom_token_id']) {
    const id = tokenId(key)
    if (id !== undefined) eosTokenIds.add(id)
  }
  tokens.forEach((token, id) => {
    if (!endOfTurnNames.has(token)) return
    if (types[id] !== tokenType.control && alsoOrdinaryText.has(token)) return
    types[id] = tokenType.control
    eosTokenIds.add(id)
  })
  return {
    tokens,
    types,
    bosTokenId: tokenId('bos_token_id'),
    eosTokenId: tokenId('eos_token_id'),
    eosTokenIds,
  }
}

export function malformedTokenizer(message: string): BrasaError {
  return new BrasaError('malformed_model', {
    message: `${message} Fetch the model file again, or use another.`,
  })
}
