import { describe, expect, test } from 'vitest'
import { openModelInPlace } from '../engine/model-in-place.ts'
import { createChatTemplate } from './chat-template.ts'
import { expectReference, fixture, type Reference } from './reference-ids.ts'
import { expectRenderings } from './reference-renderings.ts'
import { chatTemplateFeatures } from './template-features.ts'
import { createTokenizer } from './tokenizer.ts'

const models = [
  {
    id: 'qwen2.5-coder-0.5b-instruct',
    ends: ['<|im_end|>', '<|endoftext|>'],
    addBos: false,
    features: { system: true, tools: true, thinking: false },
  },
  {
    id: 'gemma-3-270m',
    ends: ['<end_of_turn>', '<eos>'],
    addBos: true,
    // A base model, with its instructed sisters' vocabulary and no template.
    features: { system: true, tools: false, thinking: false },
  },
]

describe.each(models)('$id', async ({ id, ends, addBos, features }) => {
  const { metadata } = (await openModelInPlace(id)).header
  const start = performance.now()
  const tokenizer = createTokenizer(metadata)
  const constructionMs = performance.now() - start

  expectReference(tokenizer, fixture<Reference>(id))

  test('names what ends an answer, and whether BOS comes first', () => {
    const names = [...tokenizer.eosTokenIds].map((token) =>
      new TextDecoder().decode(tokenizer.tokenBytes(token)),
    )
    expect(names.sort()).toEqual(ends.sort())
    expect(tokenizer.addBos).toBe(addBos)
  })

  if (features.tools) {
    describe('its own template is rendered as transformers does', () => {
      expectRenderings(id, createChatTemplate(metadata))
    })
  }

  test('says what its chat format has a place for', () => {
    expect(chatTemplateFeatures(metadata)).toEqual(features)
  })

  // 0.2 to 0.5 s, and 0.5 to 3 s a megabyte, on a machine without other work.
  test('is there in a moment', () => {
    expect(constructionMs).toBeLessThan(5_000)
  })

  test.each(['a', '\n', '<unused', '<unused7>', '\u6f22'])(
    'a megabyte of "%s" does not hang',
    (piece) => {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
      const begin = performance.now()
      const ids = tokenizer.encode(text, { specialTokens: 'parse', addBos: false })
      expect(performance.now() - begin).toBeLessThan(60_000)
      expect(tokenizer.decode(ids, { continues: true })).toBe(piece === '<unused7>' && addBos ? '' : text)
    },
    120_000,
  )
})
