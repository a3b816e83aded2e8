import { BrasaError } from '../errors.ts'
import type { GgufValue } from '../formats/gguf.ts'
import { type Metadata, metadataOf } from '../formats/metadata.ts'

/** What a token is for: `tokenizer.ggml.token_type` of the GGUF specification. */
export const tokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** The part of a tokenizer that is the same for every algorithm. */
export interface Vocabulary {
  /** As the file spells them: byte-level characters, or U+2581 for a space. */
  readonly tokens: readonly string[]
  /** A `tokenType` for each token, as the file says. */
  readonly types: Uint8Array
  readonly bosTokenId: number | undefined
  /** The token that the file names under a key. @throws BrasaError `malformed_model` where there is none of that id */
  readonly tokenId: (key: string) => number | undefined
  /** That one, and what else ends an answer. */
  readonly eosTokenIds: ReadonlySet<number>
}

/**
 * Tokens that end an answer by their name, whatever the file says of them: files often name only one of the two or three that
 * a model was trained to stop at, and some mark them as ordinary words. These and the next lists are llama.cpp's.
 */
const endNames: ReadonlySet<string> = new Set(
  `<|im_end|> <|endoftext|> <|eot_id|> <|eom_id|> <|end_of_text|> <|end|> <|return|> <|call|> <|calls|> <|flush|> <end_of_turn>
  <end_of_utterance> <｜end▁of▁sentence｜> <turn|> <|tool_response>`.split(/\s+/),
)
/** Those that pages and programs write too: they end an answer only where the file marks them as control. */
const endNamesInText: ReadonlySet<string> = new Set('</s> <eos> <EOT> _<EOT> [EOT] [e~['.split(' '))
/** Parsed as one token, though they end nothing: for filling in the middle, and between the files of a repository. */
const otherNames: ReadonlySet<string> = new Set(
  `<|fim_prefix|> <fim-prefix> <fim_prefix> <PRE> ▁<PRE> <｜fim▁begin｜> <|fim_suffix|> <|fim_middle|> <|fim_pad|> <fim_pad> <PAD>
  [PAD] <|fim_repo|> <|repo_name|> <fim-repo> <REPO> <reponame> <|file_sep|> <|code_prefix|> <|prefix|>`.split(
    /\s+/,
  ),
)

/** What stands around the thought of a model that thinks before it answers. Shown like text, whatever the file says of them. */
export const thoughtTags = { open: '<think>', close: '</think>' } as const

/** Whether text that spells `name` is that token wherever special tokens are parsed, and only there, whatever its type. */
export const isSpecialName = (name: string): boolean =>
  endNames.has(name) || endNamesInText.has(name) || otherNames.has(name)

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
    const marked = types[id] === tokenType.control && endNamesInText.has(token)
    if (marked || endNames.has(token)) eosTokenIds.add(id)
  })
  return {
    tokens,
    types,
    bosTokenId: tokenId('bos_token_id'),
    tokenId,
    eosTokenIds,
  }
}

export function malformedTokenizer(message: string): BrasaError {
  return new BrasaError('malformed_model', {
    message: `${message} Fetch the model file again, or use another.`,
  })
}
