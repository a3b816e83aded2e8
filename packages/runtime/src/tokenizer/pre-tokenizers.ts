/** How a pre-tokenizer cuts text into words; merges never cross a cut. */
export interface PreTokenizer {
  /** Each pattern cuts the pieces that the one before it left; what it does not match is a piece too. */
  readonly patterns: readonly string[]
  /** A word that is a token is that token, whatever the merges would make of it. */
  readonly wordsBeforeMerges?: boolean
  /** Whether text begins with BOS where the file does not say. */
  readonly addBos?: boolean
}

/** White space as Unicode has it: JavaScript's `\s` has U+FEFF too, and lacks U+0085. */
const space = '\\p{White_Space}'
/** The last one goes with the word after it. */
const spaces = `${space}+(?!\\P{White_Space})|${space}+`
/** Of ASCII letters in either case; no others, as the flag `i` would take them. */
const contraction = "'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])"
const gpt2 = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${space}\\p{L}\\p{N}]+|${spaces}`
/** The pattern of the tiktoken generation, with `digits` as the longest run of digits in one word. */
const cl100k = (digits: string) =>
  `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^${space}\\p{L}\\p{N}]+[\\r\\n]*|${space}*[\\r\\n]+|${spaces}`

/**
 * The pattern of the generation after, which also cuts before a capital, and with `suffix` what a word may end in. llama.cpp
 * knows the case of ASCII letters only and takes others for both.
 */
const o200k = (suffix: string, digits: string) => {
  const before = '[^\\r\\n\\p{L}\\p{N}]?'
  const upper = '(?:(?=\\p{L})[^a-z])'
  const lower = '(?:(?=\\p{L})[^A-Z])'
  return `${before}${upper}*${lower}+${suffix}|${before}${upper}+${lower}*${suffix}|${digits}| ?[^${space}\\p{L}\\p{N}]+[\\r\\n/]*|${space}*[\\r\\n]+|${spaces}`
}

const singleDigits: PreTokenizer = { patterns: ['\\p{N}', gpt2] }
const qwen: PreTokenizer = { patterns: [cl100k('\\p{N}')] }
const llama3: PreTokenizer = { patterns: [cl100k('\\p{N}{1,3}')], wordsBeforeMerges: true, addBos: true }
const threeDigits: PreTokenizer = { patterns: llama3.patterns }
const gpt2Alone: PreTokenizer = { patterns: [gpt2] }

/** By `tokenizer.ggml.pre`. The patterns are those of llama.cpp (src/llama-vocab.cpp), whose token ids are the reference. */
export const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  // SmolLM, SmolLM2. The library's Digits stops at \d: ½ and ² are numbers too.
  smollm: singleDigits,
  // Granite 3.
  refact: singleDigits,
  starcoder: singleDigits,
  // Qwen 2.5 and 3, and what was distilled into them.
  qwen2: qwen,
  'deepseek-r1-qwen': qwen,
  // Llama 3, and models that took its vocabulary.
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  // SmolLM3.
  'smaug-bpe': threeDigits,
  // OLMo 2, Phi-4, Granite 4.
  dbrx: threeDigits,
  // Phi-4-mini.
  'gpt-4o': { patterns: [o200k(`(?:${contraction})?`, '\\p{N}{1,3}')] },
  // Mistral from Nemo on.
  tekken: { patterns: [o200k('', '\\p{N}')], wordsBeforeMerges: true, addBos: true },
  'gpt-2': gpt2Alone,
  'phi-2': gpt2Alone,
  olmo: gpt2Alone,
  default: { patterns: ['[\\p{P}\\$\\+<=>\\^~\\|]+', gpt2, '\\p{N}+', '[0-9][0-9][0-9]'] },
}
