import { describe, expect, it } from 'vitest'
import gemma3 from '../backends/reference/fixtures/gemma3-270m-reference.json' with { type: 'json' }
import qwen2 from '../backends/reference/fixtures/qwen2.5-coder-0.5b-reference.json' with { type: 'json' }
import { openModelInPlace } from '../engine/model-in-place.ts'
import { createTokenizer } from './tokenizer.ts'

describe.each([
  ['qwen2.5-coder-0.5b-instruct', qwen2],
  ['gemma-3-270m', gemma3],
])('%s', (id, cases) => {
  it('has llama.cpp’s token ids of its prompts', async () => {
    const { header } = await openModelInPlace(id)
    const tokenizer = createTokenizer(header.metadata)
    for (const { text, tokens } of cases) {
      expect([...tokenizer.encode(text, { specialTokens: 'parse' })]).toEqual(tokens)
    }
  }, 60_000)
})
