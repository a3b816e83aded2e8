/** How a pre-tokenizer cuts text into words; merges never cross a cut. */
export interface PreTokenizer {
  /** Each pattern cuts the pieces that the one before it left; what it does not match is a piece too. */
  readonly patterns: readonly string[]
  /** A word that is a token is that token, whatever the merges would make of it. */
  readonly wordsBeforeMerges?: boolean
  /** Whether text begins with BOS where the file does not say. */
  readonly addBos?: boolean
}

const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
/** The pattern of the tiktoken generation, with `digits` as the longest run of digits in one word. */
const cl100k = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

/** By `tokenizer.ggml.pre`. The patterns are those of llama.cpp (src/llama-vocab.cpp), whose token ids are the reference. */
export const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  // The library's Digits stops at \d: ½ and ² are numbers too.
  smollm: { patterns: ['\\p{N}', gpt2] },
  qwen2: { patterns: [cl100k('\\p{N}')] },
  'llama-bpe': { patterns: [cl100k('\\p{N}{1,3}')], wordsBeforeMerges: true, addBos: true },
  'gpt-2': { patterns: [gpt2] },
  default: { patterns: ['[\\p{P}\\$\\+<=>\\^~\\|]+', gpt2, '\\p{N}+', '[0-9][0-9][0-9]'] },
}
