// @ts-check
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { shardSize as runtimeShardSize } from '../packages/runtime/src/storage/manifest.ts'
import { readShardFolder, shardFile, shardSize } from './shard.mjs'

/** @type {string} */
let folder
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'brasa-shard-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** @param {number} length */
async function writeModel(length) {
  const bytes = Buffer.alloc(length)
  for (let index = 0; index < length; index += 4093) bytes[index] = index % 251
  bytes.write('GGUF')
  const file = join(folder, 'model.gguf')
  await writeFile(file, bytes)
  return { bytes, file }
}

test.each([12, shardSize, shardSize + 1, 2 * shardSize + 12_345])(
  '%i bytes come back from their shards',
  async (length) => {
    const { bytes, file } = await writeModel(length)
    await shardFile(file, 'a-model', folder)
    const manifest = await readShardFolder(join(folder, 'a-model'), { hash: true })
    const model = manifest?.files[0]
    expect(model).toMatchObject({ name: 'model.gguf', size: length })
    expect(model?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    expect(model?.shards).toHaveLength(Math.ceil(length / shardSize))
    const parts = await Promise.all(
      (model?.shards ?? []).map((shard) => readFile(join(folder, 'a-model', shard.path ?? ''))),
    )
    expect(Buffer.concat(parts).equals(bytes)).toBe(true)
  },
)

test('shards are as long as the runtime expects', () => expect(shardSize).toBe(runtimeShardSize))

test('sharding again replaces the folder whole', async () => {
  const first = await writeModel(shardSize + 1)
  await shardFile(first.file, 'a-model', folder)
  const second = await writeModel(100)
  await shardFile(second.file, 'a-model', folder)
  expect((await readdir(join(folder, 'a-model'))).toSorted()).toEqual(['00000.bin', 'manifest.json'])
  expect((await readdir(folder)).toSorted()).toEqual(['a-model', 'model.gguf'])
})

test('what is no GGUF leaves no folder', async () => {
  const file = join(folder, 'page.html')
  await writeFile(file, '<html>')
  await expect(shardFile(file, 'a-model', folder)).rejects.toThrow(/not a GGUF/)
  await expect(shardFile(join(folder, 'absent.gguf'), 'a-model', folder)).rejects.toThrow(/cannot be read/)
  await expect(shardFile(file, '../escape', folder)).rejects.toThrow(/cannot name a model/)
  expect(await readdir(folder)).toEqual(['page.html'])
})

test('a changed byte and a missing shard are noticed', async () => {
  const { file } = await writeModel(1000)
  await shardFile(file, 'a-model', folder)
  const shard = join(folder, 'a-model', '00000.bin')
  const bytes = await readFile(shard)
  bytes[500] = (bytes[500] ?? 0) ^ 1
  await writeFile(shard, bytes)
  expect(await readShardFolder(join(folder, 'a-model'), { hash: true })).toBeUndefined()
  await rm(shard)
  expect(await readShardFolder(join(folder, 'a-model'))).toBeUndefined()
})
