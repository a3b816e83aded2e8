// The default model as tests in Node read it, from where `npm run fetch` puts it.

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type GgufHeader, readGguf } from '../../formats/gguf.ts'
import type { ByteSource } from '../../storage/byte-source.ts'
import type { Manifest } from '../../storage/manifest.ts'
import type { Weights } from '../weights.ts'
import { weightsInMemory } from './tiny-model.ts'

const models = new URL('../../../../../public/models/', import.meta.url)
const folder = new URL('smollm2-135m-instruct/', models)
const file = new URL('smollm2-135m-instruct.gguf', models)

export async function openDefaultModel(): Promise<{
  header: GgufHeader
  source: ByteSource
  weights: Weights
}> {
  const bytes = await readDefaultModel()
  const source: ByteSource = {
    size: bytes.length,
    read: async (offset, length) => bytes.slice(offset, offset + length),
  }
  const header = await readGguf(source)
  const contents = [...header.tensors.values()].map((tensor) => ({
    ...tensor,
    bytes: bytes.subarray(tensor.byteOffset, tensor.byteOffset + tensor.byteLength),
  }))
  return { header, source, weights: weightsInMemory(contents, 1024 * 1024) }
}

async function readDefaultModel(): Promise<Uint8Array<ArrayBuffer>> {
  const manifestUrl = new URL('manifest.json', folder)
  if (existsSync(manifestUrl)) {
    const manifest: Manifest = JSON.parse(await readFile(manifestUrl, 'utf8'))
    const { size, shards } = manifest.files[0]!
    const bytes = new Uint8Array(size)
    let offset = 0
    for (const { path } of shards) {
      const shard = await readFile(new URL(path!, folder))
      bytes.set(shard, offset)
      offset += shard.length
    }
    return bytes
  }
  if (existsSync(file)) return new Uint8Array(await readFile(file))
  throw new Error(`This test needs the default model in ${models.pathname}: run \`npm run fetch\` first.`)
}
