import { open, readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { type GgufHeader, readGguf } from '../formats/gguf.ts'
import type { Manifest } from '../storage/manifest.ts'
import { expectReference, fixture, type Reference } from './reference-ids.ts'
import { chatTemplateFeatures } from './template-features.ts'
import { createTokenizer } from './tokenizer.ts'

/** The header of a fetched model, from its shards. */
async function readHeader(id: string): Promise<GgufHeader> {
  const folder = new URL(`../../../../public/models/${id}/`, import.meta.url)
  const manifest: Manifest = JSON.parse(await readFile(new URL('manifest.json', folder), 'utf8'))
  const { size, shards } = manifest.files[0]!
  const shardSize = shards[0]!.size
  async function read(offset: number, length: number) {
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const at = offset + done
      const shard = await open(new URL(shards[Math.floor(at / shardSize)]!.path!, folder))
      const { bytesRead } = await shard.read(bytes, done, length - done, at % shardSize)
      await shard.close()
      if (bytesRead === 0) throw new Error(`A shard of ${id} is short. Run \`npm run fetch -- ${id}\`.`)
      done += bytesRead
    }
    return bytes
  }
  return readGguf({ size, read })
}

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
  const { metadata } = await readHeader(id)
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

  test('says what its chat format has a place for', () => {
    expect(chatTemplateFeatures(metadata)).toEqual(features)
  })

  test('is there in a moment', () => {
    expect(constructionMs).toBeLessThan(2_000)
  })

  test.each(['a', ' ', '\n', '<', '<unused', '<unused7>', '\u6f22', 'The quick brown fox. '])(
    'a megabyte of "%s" does not hang',
    (piece) => {
      const text = piece.repeat(Math.ceil(1_000_000 / piece.length))
      const begin = performance.now()
      const ids = tokenizer.encode(text, { specialTokens: 'parse', addBos: false })
      expect(performance.now() - begin).toBeLessThan(20_000)
      expect(tokenizer.decode(ids, { continues: true })).toBe(piece === '<unused7>' && addBos ? '' : text)
    },
    60_000,
  )
})
