// @ts-check
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { appendFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../../scripts/command-line.mjs'

/**
 * @typedef {import('./schema.mjs').ModelFile} ModelFile
 */

/**
 * The whole file of a model that is kept in shards: peers take nothing else.
 * @param {string} id of the catalogue; its shards are in public/models/
 * @returns {Promise<string>} path
 */
export async function joinShards(id) {
  const folder = join(root, 'public', 'models', id)
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  const [{ name, size, sha256, shards }] = manifest.files
  const path = join(root, '.cache', 'bench', sha256.slice(0, 16), name)
  if (existsSync(path) && statSync(path).size === size) return path
  mkdirSync(dirname(path), { recursive: true })
  const partial = `${path}.partial-${process.pid}`
  await rm(partial, { force: true })
  for (const shard of shards) await appendFile(partial, readFileSync(join(folder, shard.path)))
  renameSync(partial, path)
  return path
}

/**
 * @param {string} id as `--model` takes it
 * @param {string} path of its GGUF file
 * @returns {Promise<ModelFile>}
 */
export async function describeModelFile(id, path) {
  return {
    id,
    file: basename(path),
    bytes: statSync(path).size,
    sha256: await hashOf(path),
    ...(await weightBytesOf(path)),
  }
}

/** @param {string} path */
async function hashOf(path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * Bytes of all tensors, apart from an embedding that is not the head as well: of that one, a token reads a row.
 * @param {string} path of a GGUF file
 * @returns {Promise<Pick<ModelFile, 'weightBytesPerToken' | 'embeddingBytesApart'>>}
 */
async function weightBytesOf(path) {
  const runtime = createRequire(join(root, 'packages', 'runtime', 'package.json'))
  const { gguf } = await import(pathToFileURL(runtime.resolve('@huggingface/gguf')).href)
  const { tensorInfos, tensorDataOffset } = await gguf(path, { allowLocalFile: true })
  const starts = tensorInfos
    .map((/** @type {{ name: string, offset: bigint }} */ { name, offset }) => ({
      name,
      start: Number(offset),
    }))
    .toSorted((/** @type {{ start: number }} */ a, /** @type {{ start: number }} */ b) => a.start - b.start)
  const end = statSync(path).size - Number(tensorDataOffset)
  const hasHead = starts.some((/** @type {{ name: string }} */ { name }) => name === 'output.weight')
  let [weightBytesPerToken, embeddingBytesApart] = [0, 0]
  for (const [index, { name, start }] of starts.entries()) {
    const bytes = (starts[index + 1]?.start ?? end) - start
    if (hasHead && name === 'token_embd.weight') embeddingBytesApart += bytes
    else weightBytesPerToken += bytes
  }
  return { weightBytesPerToken, embeddingBytesApart }
}
