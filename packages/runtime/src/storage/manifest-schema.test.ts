import { describe, expect, it } from 'vitest'
import { shardSize } from './manifest.ts'
import { parseManifest } from './manifest-schema.ts'

const hash = (digit: string) => digit.repeat(64)
const manifest = () => ({
  version: 1,
  name: 'tiny',
  files: [
    {
      name: 'tiny.gguf',
      size: 30,
      sha256: hash('a'),
      shards: [
        { size: 20, sha256: hash('b'), path: 'tiny-0.bin' },
        { size: 10, sha256: hash('c'), path: 'parts/tiny-1.bin' },
      ],
    },
  ],
})

describe('parseManifest', () => {
  it('takes what `npm run shard` writes, and nothing besides', () => {
    expect(parseManifest({ ...manifest(), extra: 1 }, '/m.json')).toEqual(manifest())
  })

  it.each<[string, (bad: ReturnType<typeof manifest>) => unknown]>([
    ['no object', () => 'manifest'],
    ['null', () => null],
    ['another version', (bad) => ({ ...bad, version: 2 })],
    ['no files', (bad) => ({ ...bad, files: [] })],
    ['no shards', (bad) => setFile(bad, { size: 0, shards: [] })],
    ['sizes that do not add up', (bad) => setFile(bad, { size: 31 })],
    ['a size that is no count', (bad) => setShard(bad, { size: 19.5 })],
    ['a negative size', (bad) => setShard(bad, { size: -20 })],
    [
      'a shard over 16 MiB',
      (bad) => setShard(setFile(bad, { size: shardSize + 11 }), { size: shardSize + 1 }),
    ],
    ['a hash in capitals', (bad) => setShard(bad, { sha256: hash('B') })],
    ['a short hash', (bad) => setShard(bad, { sha256: 'b' })],
    ['one hash with two sizes', (bad) => setShard(bad, { sha256: hash('c') })],
    ['a way up', (bad) => setShard(bad, { path: '../tiny-0.bin' })],
    ['a way up in the middle', (bad) => setShard(bad, { path: 'a/../../b' })],
    ['an encoded way up', (bad) => setShard(bad, { path: '%2e%2e/b' })],
    ['an absolute path', (bad) => setShard(bad, { path: '/tiny-0.bin' })],
    ['another host', (bad) => setShard(bad, { path: '//evil.example/b' })],
    ['a scheme', (bad) => setShard(bad, { path: 'https://evil.example/b' })],
    ['a data URL', (bad) => setShard(bad, { path: 'data:,b' })],
    ['a backslash', (bad) => setShard(bad, { path: '\\\\evil\\b' })],
    ['no path', (bad) => setShard(bad, { path: undefined })],
  ])('refuses %s', (_, spoil) => {
    expect(() => parseManifest(spoil(manifest()), '/m.json')).toThrowError(
      expect.objectContaining({ code: 'malformed_manifest' }),
    )
  })

  it('names what is wrong', () => {
    expect(() => parseManifest(setShard(manifest(), { sha256: 'b' }), '/m.json')).toThrowError(
      /\/m\.json.*files\.0\.shards\.0\.sha256/,
    )
  })
})

function setFile(document: ReturnType<typeof manifest>, change: object): ReturnType<typeof manifest> {
  Object.assign(document.files[0]!, change)
  return document
}

function setShard(document: ReturnType<typeof manifest>, change: object): ReturnType<typeof manifest> {
  Object.assign(document.files[0]!.shards[0]!, change)
  return document
}
