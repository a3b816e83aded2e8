import { writeGguf } from '../../formats/gguf-writer.ts'
import { tinyModel } from './tiny-model.ts'

/** A GGUF file for tests: random weights, and a vocabulary of single printable characters. */
export function tinyModelFile(name = 'tiny.gguf', metadata: Record<string, number | string> = {}): File {
  const vocabSize = 131
  const { contents } = tinyModel({ vocabSize, contextLength: 200 })
  const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index))
  const named = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
  // As GPT-2 spells a space and a line feed.
  const tokens = [...named, 'Ġ', 'Ċ', ...printable]
  while (tokens.length < vocabSize) tokens.push(`filler${tokens.length}`)
  const bytes = writeGguf({
    ...contents,
    metadata: {
      ...contents.metadata,
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'gpt-2',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.token_type': tokens.map((token) => (named.includes(token) ? 3 : 1)),
      'tokenizer.ggml.merges': ['Ġ t'],
      'tokenizer.ggml.eos_token_id': 2,
      ...metadata,
    },
  })
  return new File([bytes], name)
}
