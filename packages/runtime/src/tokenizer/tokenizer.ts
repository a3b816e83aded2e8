import { BrasaError } from '../errors.ts'
import type { GgufValue } from '../formats/gguf.ts'
import { byteLevelTokenBytes, createByteLevelBpe } from './byte-level-bpe.ts'
import { preTokenizers } from './pre-tokenizers.ts'
import { createSentencePiece, sentencePieceTokenBytes } from './sentencepiece.ts'
import { type SpecialTokens, specialTokenSplitter } from './special-tokens.ts'
import { createStreamDecoder, type StreamDecoder } from './stream-decoder.ts'
import { readVocabulary, thoughtTags, tokenizerMetadata, tokenType } from './vocabulary.ts'

export interface EncodeOptions {
  readonly specialTokens: SpecialTokens
  /** Begin with BOS; what the file asks for by default. Never doubled where the parsed text begins with it. */
  readonly addBos?: boolean
}

export interface DecodeOptions {
  /**
   * The tokens go on from text before them, such as a raw prompt, so that a leading space is meant. By default decoding
   * undoes encoding, which for some models put a space in front. Byte-level models have no such space.
   */
  readonly continues?: boolean
}

export interface Tokenizer {
  readonly vocabSize: number
  readonly bosTokenId: number | undefined
  /** Tokens that end an answer: end of sequence, of turn, of message. */
  readonly eosTokenIds: ReadonlySet<number>
  /** Whether the file asks for BOS in front of every text. */
  readonly addBos: boolean
  /** Lone surrogates count as U+FFFD. Linear in the text's length, but for a factor of its logarithm in one long word. */
  encode(text: string, options: EncodeOptions): Uint32Array
  /** Control tokens are not shown; bytes that are no UTF-8 become U+FFFD. */
  decode(ids: Iterable<number>, options?: DecodeOptions): string
  /**
   * The bytes a token stands for; of a control token, its name's.
   * @throws BrasaError `invalid_request` if there is no such token
   */
  tokenBytes(id: number): Uint8Array
  /** Whether a token is no part of any text: control tokens, and those that end an answer. */
  isHidden(id: number): boolean
  /** The same text as `decode`, in pieces that never hold half a character and are never taken back. */
  streamDecoder(options?: DecodeOptions): StreamDecoder
}

/**
 * A tokenizer from a GGUF file's metadata alone. Its token ids are llama.cpp's.
 * @throws BrasaError `unsupported_tokenizer` with the kinds that are known; `malformed_model`
 */
export function createTokenizer(metadata: ReadonlyMap<string, GgufValue>): Tokenizer {
  const given = tokenizerMetadata(metadata)
  const model = given.string('model', () => 'none')
  if (!Object.hasOwn(algorithms, model)) throw unsupported('tokenizer', model, algorithms)
  const vocabulary = readVocabulary(given)
  const { tokens, types, bosTokenId, eosTokenIds } = vocabulary
  const algorithm = algorithms[model as keyof typeof algorithms](given, vocabulary)
  const split = specialTokenSplitter(vocabulary, takesSpace(metadata, vocabulary))
  const fileAddsBos = bosTokenId !== undefined && given.boolean('add_bos_token', () => algorithm.addBos)

  const tokenBytes = (id: number): Uint8Array => {
    const token = tokens[id]
    if (token !== undefined) return algorithm.tokenBytes(token, types[id]!)
    throw new BrasaError('invalid_request', {
      message: `There is no token ${id}; the vocabulary has ${tokens.length}.`,
      details: { id, vocabSize: tokens.length },
    })
  }
  const hidden: ReadonlySet<number> = new Set([tokenType.control, tokenType.unknown, tokenType.unused])
  const tags: ReadonlySet<string> = new Set(Object.values(thoughtTags))
  const isHidden = (id: number) =>
    (hidden.has(types[id] ?? 0) && !tags.has(tokens[id]!)) || eosTokenIds.has(id)
  const shownBytes = (id: number) => (isHidden(id) ? new Uint8Array() : tokenBytes(id))
  const streamDecoder = ({ continues = false }: DecodeOptions = {}) =>
    createStreamDecoder(shownBytes, algorithm.addsSpace && !continues)

  return {
    vocabSize: tokens.length,
    bosTokenId,
    eosTokenIds,
    addBos: fileAddsBos,
    encode(text, { specialTokens, addBos = fileAddsBos }) {
      const ids: number[] = []
      let afterSpecial = true
      for (const fragment of split(text, specialTokens)) {
        if (typeof fragment === 'number') ids.push(fragment)
        else {
          const spaced = algorithm.addsSpace && afterSpecial ? ` ${fragment}` : fragment
          for (const id of algorithm.encode(spaced)) ids.push(id)
        }
        afterSpecial = typeof fragment === 'number'
      }
      if (addBos && bosTokenId !== undefined && ids[0] !== bosTokenId) ids.unshift(bosTokenId)
      return Uint32Array.from(ids)
    },
    decode(ids, options) {
      const decoder = streamDecoder(options)
      let text = ''
      for (const id of ids) text += decoder.push(id)
      return text + decoder.end()
    },
    tokenBytes,
    isHidden,
    streamDecoder,
  }
}

/**
 * Phi-3's special tokens swallow the white space after them. Its files do not say so: as in llama.cpp, the model's name does.
 */
function takesSpace(metadata: ReadonlyMap<string, GgufValue>, { tokens }: Vocabulary) {
  if (!/phi-?3/i.test(String(metadata.get('general.name') ?? ''))) return () => false
  const exempt: ReadonlySet<string> = new Set(['<unk>', '<s>', '<|endoftext|>'])
  return (id: number) => !exempt.has(tokens[id]!)
}

type Given = ReturnType<typeof tokenizerMetadata>
type Vocabulary = ReturnType<typeof readVocabulary>

interface Algorithm {
  encode(text: string): readonly number[]
  tokenBytes(token: string, type: number): Uint8Array
  /** A space goes in front of the text, and of what follows a special token. */
  readonly addsSpace: boolean
  /** Where the file does not say. */
  readonly addBos: boolean
}

/** By `tokenizer.ggml.model`. */
const algorithms = {
  gpt2(given: Given, vocabulary: Vocabulary): Algorithm {
    const name = given.string('pre', () => 'default')
    if (!Object.hasOwn(preTokenizers, name)) throw unsupported('pre-tokenizer', name, preTokenizers)
    const preTokenizer = preTokenizers[name]!
    return {
      encode: createByteLevelBpe(given, vocabulary, preTokenizer),
      tokenBytes: (token, type) =>
        type === tokenType.normal ? byteLevelTokenBytes(token) : new TextEncoder().encode(token),
      addsSpace: false,
      addBos: preTokenizer.addBos ?? false,
    }
  },
  llama(given: Given, vocabulary: Vocabulary): Algorithm {
    return {
      encode: createSentencePiece(given, vocabulary),
      tokenBytes: sentencePieceTokenBytes,
      addsSpace: given.boolean('add_space_prefix', () => true),
      addBos: true,
    }
  },
}

function unsupported(what: string, name: string, known: object): BrasaError {
  const names = Object.keys(known)
  return new BrasaError('unsupported_tokenizer', {
    message: `The model's ${what} "${name}" is not known; known are ${names.join(', ')}. Use a model with one of these.`,
    details: { name, known: names },
  })
}
