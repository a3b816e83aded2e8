import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type GgufValue, readGguf } from '../formats/gguf.ts'
import type { Manifest } from '../storage/manifest.ts'

const models = new URL('../../../../public/models/', import.meta.url)
const inModels = (path: string) => fileURLToPath(new URL(path, models))

/** Metadata of the default model, from its file or its shard folder in public/models. For tests in Node. */
export async function readSmolLm2Metadata(): Promise<ReadonlyMap<string, GgufValue>> {
  const parts = await findParts()
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  async function read(offset: number, length: number) {
    const bytes = new Uint8Array(length)
    let start = 0
    for (const part of parts) {
      const from = Math.max(offset, start)
      const to = Math.min(offset + length, start + part.size)
      if (from < to) {
        const file = await open(part.path)
        await file.read(bytes, from - offset, to - from, from - start)
        await file.close()
      }
      start += part.size
    }
    return bytes
  }
  return (await readGguf({ size, read })).metadata
}

async function findParts(): Promise<readonly { path: string; size: number }[]> {
  const path = inModels('smollm2-135m-instruct.gguf')
  if (existsSync(path)) {
    const file = await open(path)
    const { size } = await file.stat()
    await file.close()
    return [{ path, size }]
  }
  const manifestPath = inModels('smollm2-135m-instruct/manifest.json')
  if (!existsSync(manifestPath))
    throw new Error(`Neither ${path} nor ${manifestPath} exists: run npm run fetch.`)
  const manifest = JSON.parse(await readFile(manifestPath, 'utf8')) as Manifest
  return manifest.files.flatMap(({ shards }) =>
    shards.map(({ path = '', size }) => ({ path: inModels(`smollm2-135m-instruct/${path}`), size })),
  )
}
