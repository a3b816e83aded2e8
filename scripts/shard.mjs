// @ts-check
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { defaultModelsDir } from './catalogue.mjs'
import { formatBytes, reasonOf, runAsScript, ScriptError } from './command-line.mjs'

/** Bytes a shard has, save the last one; `shardSize` of packages/runtime/src/storage/manifest.ts. */
export const shardSize = 16 * 1024 * 1024

/** @typedef {import('../packages/runtime/src/storage/manifest.ts').Manifest} Manifest */

/** A name that is one folder under public/models and one path segment of a URL. */
const validName = /^[a-z0-9][a-z0-9._-]*$/i

/**
 * Cuts a GGUF file into `modelsDir/name/`: 00000.bin, 00001.bin, … and manifest.json. The folder appears whole or not at
 * all: it is written beside its place and renamed.
 * @param {string} file
 * @param {string} name
 * @param {string} [modelsDir]
 * @returns {Promise<Manifest>}
 */
export function shardFile(file, name, modelsDir = defaultModelsDir) {
  return shardFiles([file], name, modelsDir, 'gguf')
}

/**
 * Cuts the files of one model into one folder; without a format they may be anything.
 * @param {readonly string[]} files whose basenames the manifest has
 * @param {string} name
 * @param {string} modelsDir
 * @param {'gguf'} [format]
 * @returns {Promise<Manifest>}
 */
export async function shardFiles(files, name, modelsDir, format) {
  if (!validName.test(name) || /\.(gguf|json)$/i.test(name)) {
    throw new ScriptError(`"${name}" cannot name a model: use letters, digits, dots, dashes and underscores.`)
  }
  await mkdir(modelsDir, { recursive: true })
  await removeStale(modelsDir)
  const partial = join(modelsDir, `${name}.partial-${process.pid}`)
  try {
    await mkdir(partial)
    /** @type {import('../packages/runtime/src/storage/manifest.ts').ManifestFile[]} */
    const cut = []
    for (const file of files) {
      const firstShard = cut.reduce((count, { shards }) => count + shards.length, 0)
      cut.push(await cutFile(file, partial, firstShard, format))
    }
    /** @type {Manifest} */
    const manifest = { version: 1, name, files: cut }
    await writeFile(join(partial, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    await moveIntoPlace(partial, join(modelsDir, name))
    return manifest
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

/**
 * @param {string} file
 * @param {string} folder
 * @param {number} firstShard
 * @param {'gguf' | undefined} format
 */
async function cutFile(file, folder, firstShard, format) {
  const input = await open(file).catch((error) => {
    throw new ScriptError(`${file} cannot be read: ${reasonOf(error)}`)
  })
  try {
    const whole = createHash('sha256')
    const buffer = Buffer.allocUnsafe(shardSize)
    /** @type {{ size: number, sha256: string, path: string }[]} */
    const shards = []
    let size = 0
    for (;;) {
      const bytes = await readShard(input, buffer, size)
      const isFirst = shards.length === 0
      if (format === 'gguf' && isFirst && bytes.subarray(0, 4).toString('latin1') !== 'GGUF') {
        throw new ScriptError(`${file} is not a GGUF file: it does not begin with the letters GGUF.`)
      }
      if (bytes.length === 0) break
      const path = `${String(firstShard + shards.length).padStart(5, '0')}.bin`
      whole.update(bytes)
      shards.push({ size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex'), path })
      await writeFile(join(folder, path), bytes)
      size += bytes.length
    }
    return { name: basename(file), size, sha256: whole.digest('hex'), shards }
  } finally {
    await input.close()
  }
}

/**
 * The next shard's bytes, a view of `buffer`; empty at the end of the file.
 * @param {import('node:fs/promises').FileHandle} input
 * @param {Buffer<ArrayBuffer>} buffer
 * @param {number} offset
 */
async function readShard(input, buffer, offset) {
  let filled = 0
  while (filled < buffer.length) {
    const { bytesRead } = await input.read(buffer, filled, buffer.length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/**
 * @param {string} partial
 * @param {string} place
 */
async function moveIntoPlace(partial, place) {
  const old = `${partial}.old`
  // A folder cannot be renamed over another: the old one steps aside first.
  await rename(place, old).catch((error) => {
    if (error.code !== 'ENOENT') throw error
  })
  await rename(partial, place)
  await rm(old, { recursive: true, force: true })
}

/**
 * Removes what interrupted runs left behind: names that end in the id of a process that is gone.
 * @param {string} folder
 */
export async function removeStale(folder) {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = Number(/\.partial-(\d+)(\.old)?$/.exec(name)?.[1])
    if (pid > 0 && !(pid !== process.pid && isAlive(pid))) {
      await rm(join(folder, name), { recursive: true, force: true })
    }
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * The manifest of a shard folder that has every shard in its full size; undefined if anything is missing. `hash` reads
 * every byte as well.
 * @param {string} folder
 * @param {{ hash?: boolean }} [options]
 * @returns {Promise<Manifest | undefined>}
 */
export async function readShardFolder(folder, { hash = false } = {}) {
  try {
    /** @type {Manifest} */
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))
    for (const shard of manifest.files.flatMap((file) => file.shards)) {
      const path = join(folder, shard.path ?? '')
      if ((await stat(path)).size !== shard.size) return undefined
      if (hash && (await sha256Of(path)) !== shard.sha256) return undefined
    }
    return manifest
  } catch {
    return undefined
  }
}

/** @param {string} file */
export async function sha256Of(file) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk)
  return hash.digest('hex')
}

await runAsScript(import.meta.url, async ([file, name, ...rest]) => {
  if (file === undefined || name === undefined || rest.length > 0) {
    throw new ScriptError('Usage: npm run shard -- FILE.gguf NAME')
  }
  const manifest = await shardFile(file, name)
  const [model] = manifest.files
  console.log(
    `public/models/${name}/: manifest.json and ${model?.shards.length} shards, ${formatBytes(model?.size ?? 0)}, SHA-256 ${model?.sha256}`,
  )
})
