// @ts-check
import { rmSync } from 'node:fs'
import { copyFile, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultModelsDir, readCatalogueModel } from './catalogue.mjs'
import { formatBytes, reasonOf, root, runAsScript, ScriptError } from './command-line.mjs'
import { readShardFolder, removeStale, sha256Of, shardFile, shardFiles } from './shard.mjs'
import { fetchFromNpm, fetchFromPypi, fetchPartsFromPypi, fetchUrl } from './sources.mjs'

/**
 * @typedef {import('./catalogue.mjs').CatalogueModel} CatalogueModel
 * @typedef {import('./catalogue.mjs').Source} Source
 * @typedef {object} FetchOptions
 * @property {string} [id] of the catalogue; its default model if left out
 * @property {string} [modelsDir]
 * @property {string} [cacheDir] where half-finished downloads live
 * @property {boolean} [verify] hash every shard that is in place instead of trusting its size
 * @property {boolean} [needFile] the GGUF file itself must be there too, as tests want it
 * @property {boolean} [acceptTerms] the person accepts the terms of a model that has some
 * @property {(line: string) => void} [log]
 */

/**
 * Puts a catalogue model in place: `modelsDir/<id>.gguf` and the shard folder `modelsDir/<id>/` that the page loads. Tries
 * the model's sources in order; bytes count only if their SHA-256 is the catalogue's. Of an ONNX model only the folder stays.
 * @param {FetchOptions} [options]
 * @returns {Promise<void>}
 */
export async function fetchModel({
  id,
  modelsDir = defaultModelsDir,
  cacheDir = join(root, '.cache'),
  verify = false,
  needFile = false,
  acceptTerms = false,
  log = console.log,
} = {}) {
  const model = await readCatalogueModel(modelsDir, id)
  const place = join(modelsDir, `${model.id}.gguf`)
  const shards = join(modelsDir, model.id)
  const manifest = await readShardFolder(shards, { hash: verify })
  const expected = (model.files ?? [model]).map((file) => file.sha256).join()
  const sharded = manifest?.files.map((file) => file.sha256).join() === expected
  if (sharded && (!needFile || model.files || (await sizeOf(place)) === model.size)) {
    log(`${model.name} is in place (${formatBytes(model.size)}${verify ? ', every hash right' : ''}).`)
    return
  }
  if (model.terms !== undefined) {
    log(`${model.name} comes under its own terms: ${model.terms}`)
    if (!acceptTerms) {
      throw new ScriptError(
        `Read them, and if you accept them run npm run fetch -- ${model.id} --accept-terms.`,
      )
    }
  }
  await removeStale(modelsDir)
  await mkdir(cacheDir, { recursive: true })
  await removeStale(cacheDir)
  const work = join(cacheDir, `fetch.partial-${process.pid}`)
  // `finally` does not run when a signal ends the process; what even this misses, the next run's removeStale finds.
  const removeWork = () => rmSync(work, { recursive: true, force: true })
  process.once('exit', removeWork)
  try {
    await mkdir(work)
    if (model.files) {
      await fetchFiles(model, model.files, { modelsDir, work, log })
      return
    }
    const file = sharded ? await joinShards(shards, manifest, work) : undefined
    if (file === undefined || (await sha256Of(file)) !== model.sha256) {
      await fetchFromSources(model, { modelsDir, place, work, log })
    } else {
      await rename(file, place)
    }
  } finally {
    removeWork()
    process.off('exit', removeWork)
  }
  if (sharded) return
  const { files } = await shardFile(place, model.id, modelsDir)
  log(`${model.name} is ready: ${formatBytes(model.size)} in ${files[0]?.shards.length} shards.`)
}

/**
 * @param {CatalogueModel} model
 * @param {readonly import('./catalogue.mjs').ModelFile[]} files
 * @param {{ modelsDir: string, work: string, log: (line: string) => void }} options
 */
async function fetchFiles(model, files, { modelsDir, work, log }) {
  const places = []
  for (const [index, file] of files.entries()) {
    const folder = join(work, `file-${index}`)
    await mkdir(folder)
    const place = join(folder, file.name)
    await fetchFromSources(
      { ...file, id: model.id, name: `${model.name}, ${file.name}` },
      {
        ...{ modelsDir, place, log },
        work: folder,
        byHand: join(modelsDir, `${model.id}.${file.name}`),
      },
    )
    places.push(place)
  }
  await shardFiles(places, model.id, modelsDir)
  log(
    `${model.name} is ready: ${formatBytes(model.size)} in ${files.length === 1 ? 'one file' : `${files.length} files`}.`,
  )
}

/**
 * @param {CatalogueModel} model
 * @param {{ modelsDir: string, place: string, work: string, log: (line: string) => void, byHand?: string }} options
 *   `byHand`: where a person may put the file, if not at its place
 */
async function fetchFromSources(model, { modelsDir, place, work, log, byHand = place }) {
  for (const [index, source] of model.sources.entries()) {
    const folder = join(work, String(index))
    await mkdir(folder)
    const name = nameOf(source)
    try {
      if (source.kind !== 'file') log(`Fetching ${model.name} from ${name} …`)
      const file = await takeFrom(source, model, { modelsDir, folder })
      if (file === undefined) continue
      const sha256 = await sha256Of(file)
      if (sha256 === model.sha256) {
        if (file !== place) await rename(file, place)
        return
      }
      log(
        `error: ${name} has the wrong content: its SHA-256 is ${sha256}, that of ${model.id} is ${model.sha256}. Trying the next source.`,
      )
      // A person put it there: it makes room, and is not thrown away.
      if (file === place) await rename(place, join(modelsDir, `${model.id}.rejected.gguf`))
    } catch (error) {
      log(`${name} is skipped: ${reasonOf(error)}.`)
    }
    await rm(folder, { recursive: true, force: true })
  }
  throw new ScriptError(
    `${model.name} could not be fetched from any source. Put the file (${model.size} bytes, SHA-256 ${model.sha256}) at ${relative(process.cwd(), byHand)} by hand and run the command again.`,
  )
}

/**
 * @param {Source} source
 * @param {CatalogueModel} model
 * @param {{ modelsDir: string, folder: string }} where
 * @returns {Promise<string | undefined>} path of the file; undefined if there is none in place
 */
async function takeFrom(source, model, { modelsDir, folder }) {
  switch (source.kind) {
    case 'file': {
      const path = join(modelsDir, source.path)
      if ((await sizeOf(path)) === undefined) return undefined
      if (path === join(modelsDir, `${model.id}.gguf`)) return path
      const copy = join(folder, 'model.gguf')
      await copyFile(path, copy)
      return copy
    }
    case 'url': {
      const target = join(folder, 'model.gguf')
      await fetchUrl(source.url, target, model.size)
      return target
    }
    case 'pypi':
      return fetchFromPypi(source, folder, model.size)
    case 'pypi-parts':
      return fetchPartsFromPypi(source.parts, folder, model.size)
    case 'npm':
      return fetchFromNpm(source, folder)
    default:
      throw new Error(`its kind "${/** @type {{ kind: string }} */ (source).kind}" is not known`)
  }
}

/** @param {Source} source */
function nameOf(source) {
  switch (source.kind) {
    case 'file':
      return source.path
    case 'url':
      return source.url
    case 'pypi-parts':
      return `${source.parts.length} Python packages from ${source.parts[0]?.package} on`
    default:
      return `the ${source.kind === 'npm' ? 'npm' : 'Python'} package ${source.package} ${source.version}`
  }
}

/**
 * The GGUF file again, from its shards.
 * @param {string} folder
 * @param {import('./shard.mjs').Manifest} manifest
 * @param {string} work
 */
async function joinShards(folder, manifest, work) {
  const path = join(work, 'joined.gguf')
  const output = await open(path, 'w')
  try {
    for (const shard of manifest.files[0]?.shards ?? []) {
      await output.writeFile(await readFile(join(folder, shard.path ?? '')))
    }
  } finally {
    await output.close()
  }
  return path
}

/** @param {string} path */
async function sizeOf(path) {
  return (await stat(path).catch(() => undefined))?.size
}

await runAsScript(import.meta.url, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      verify: { type: 'boolean' },
      'accept-terms': { type: 'boolean' },
      'models-dir': { type: 'string' },
      'cache-dir': { type: 'string' },
    },
  })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.once(signal, () => process.exit(130))
  await fetchModel({
    ...(positionals[0] !== undefined && { id: positionals[0] }),
    ...(values['models-dir'] !== undefined && { modelsDir: values['models-dir'] }),
    ...(values['cache-dir'] !== undefined && { cacheDir: values['cache-dir'] }),
    verify: values.verify ?? false,
    acceptTerms: values['accept-terms'] ?? false,
  })
})
