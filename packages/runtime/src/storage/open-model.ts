import { isBrasaError, throwIfAborted } from '../errors.ts'
import { type CatalogueModel, fetchJson, formatOf } from './catalogue.ts'
import { basename, type Download, startDownload } from './download.ts'
import { importFile } from './file-source.ts'
import { hashMismatch } from './hash.ts'
import { createHeapMeter, type HeapMeter } from './heap-meter.ts'
import { defaultHttp, type HttpSettings } from './http.ts'
import { type Manifest, type ModelFormat, shardSize } from './manifest.ts'
import { parseManifest } from './manifest-schema.ts'
import { underModelLock } from './model-lock.ts'
import { createProgressMeter, type StorageProgress } from './progress.ts'
import { type Reference, type ResolvedReference, resolveReference, storedId } from './reference.ts'
import { downloadFolder } from './shard-folder.ts'
import { createShardReader } from './shard-reader.ts'
import { type ModelRecord, manifestHashes, type ShardStore, type StorageWarning } from './shard-store.ts'
import { type StoredFile, storedFiles } from './stored-file.ts'
import { downloadUrl } from './url-source.ts'

export interface OpenModelOptions {
  readonly store: ShardStore
  /** `gguf` by default. A catalogue's name stands for a model of this format only. */
  readonly format?: ModelFormat
  /** Where `models.json` is; relative to `baseUrl`. */
  readonly catalogueUrl?: string
  /** What relative addresses are relative to: in a worker the page's address, which only the page knows. */
  readonly baseUrl?: string
  /** `download` while this runs; `verify` whenever the files are read for the first time. */
  readonly onProgress?: (progress: StorageProgress) => void
  readonly onWarning?: (warning: StorageWarning) => void
  readonly signal?: AbortSignal
  /** For tests and for servers that need other manners. */
  readonly http?: Partial<HttpSettings>
  /** Bytes a shard has where the model is cut here. 16 MiB. */
  readonly shardBytes?: number
  /** Counts model bytes on the JS heap. */
  readonly heap?: HeapMeter
}

export interface OpenedModel {
  /** What the store knows it by; opens it again, also without the network. */
  readonly id: string
  /** One file, the parts of a split GGUF in order, or an ONNX file and what belongs to it. */
  readonly files: readonly StoredFile[]
  readonly manifest: Manifest
  /** What the catalogue says of it, where it was asked for by name and the catalogue could be read. */
  readonly entry?: CatalogueModel
}

/**
 * Opens a model, bringing it into the shard store first where it is not there yet. Interrupted at any point, the next call
 * goes on from the shards that were committed.
 * @throws BrasaError `unknown_model`, `invalid_request` (the reference), `http_error`, `network_error`, `hash_mismatch`,
 *   `malformed_manifest`, `not_a_gguf`, `not_an_onnx`, `truncated_model`, `storage_unavailable`, `aborted`
 */
export async function openModel(reference: Reference, options: OpenModelOptions): Promise<OpenedModel> {
  const http = { ...defaultHttp, ...options.http }
  const heap = options.heap ?? createHeapMeter()
  const { store, onProgress, signal = new AbortController().signal } = options
  const baseUrl = options.baseUrl ?? globalThis.location.href
  const opening: Opening = {
    ...{ id: storedId(reference, baseUrl), store, http, heap, signal, onProgress, baseUrl, reference },
    catalogueUrl: options.catalogueUrl ?? 'models/models.json',
    shardBytes: options.shardBytes ?? shardSize,
    format: options.format ?? 'gguf',
    warn: warnOnce(options.onWarning),
  }
  throwIfAborted(signal)

  const { record, entry } = (await findStored(opening)) ?? (await bring(opening))
  return {
    id: record.id,
    manifest: record.manifest,
    files: storedFiles(record.manifest, createShardReader(record, { store, http, heap, onProgress }), heap),
    ...(entry === undefined ? {} : { entry }),
  }
}

interface Opening extends Pick<Download, 'http' | 'heap' | 'signal' | 'shardBytes' | 'format'> {
  readonly id: string
  readonly reference: Reference
  readonly store: ShardStore
  readonly catalogueUrl: string
  readonly baseUrl: string
  readonly onProgress: OpenModelOptions['onProgress']
  readonly warn: (warning: StorageWarning | undefined) => void
}

interface Found {
  readonly record: ModelRecord
  readonly entry?: CatalogueModel | undefined
}

/** How long a stored model waits for a server to say that there is a newer one. */
const freshnessMs = 3000

/** The model as it is stored, if it is whole and not out of date as far as can be found out quickly. */
async function findStored(opening: Opening): Promise<Found | undefined> {
  const { id, reference, store, signal } = opening
  // A File is its own truth: another of the same name is another model.
  if (typeof reference !== 'string' && [reference].flat().some((part) => part instanceof File))
    return undefined
  const record = await store.getModel(id)
  if (record === undefined) return undefined
  const stored = await store.shardHashes()
  if (!manifestHashes(record.manifest).every((hash) => stored.has(hash))) return undefined

  try {
    const quick = { ...opening.http, tries: 1, stallMs: Math.min(freshnessMs, opening.http.stallMs) }
    const resolved = await resolve(opening, quick)
    if (resolved.kind === 'files') return { record }
    const { entry } = resolved
    if (entry !== undefined) return isEntrys(record.manifest, entry) ? { record, entry } : undefined
    const manifest = parseManifest(await fetchJson(resolved.manifestUrl, quick, signal), resolved.manifestUrl)
    return manifestHashes(manifest).join() === manifestHashes(record.manifest).join() ? { record } : undefined
  } catch (error) {
    if (isBrasaError(error) && error.code === 'aborted') throw error
    // Offline, or gone from the server: what is stored is what there is.
    return { record }
  }
}

function isEntrys(manifest: Manifest, entry: CatalogueModel): boolean {
  const isSplit = manifest.files.length > 1 && formatOf(entry) === 'gguf'
  const sha256 = isSplit ? undefined : manifest.files[0]!.sha256
  const size = manifest.files.reduce((sum, file) => sum + file.size, 0)
  return size === entry.size && (sha256 === undefined || sha256 === entry.sha256)
}

/** Downloads or imports the model under its lock; a second tab that waited for the lock finds it stored. */
async function bring(opening: Opening): Promise<Found> {
  const { id, store, signal, warn } = opening
  const found = await underModelLock(id, signal, async () => {
    const meanwhile = await findStored(opening)
    if (meanwhile !== undefined) return meanwhile

    const resolved = await resolve(opening, opening.http)
    warn(store.warning())
    const progress = createProgressMeter('download', opening.onProgress)
    const download = await startDownload({
      ...{ ...opening, progress },
      onStoreChange: () => warn(store.warning()),
    })
    const record = await bringResolved(opening, resolved, download)
    if (resolved.kind === 'folder' && resolved.entry !== undefined) {
      await checkEntry(opening, record, resolved.entry)
    }
    throwIfAborted(signal)
    await store.commitModel(record)
    warn(store.warning())
    progress.finish()
    await store.collectGarbage()
    return { record, entry: resolved.kind === 'folder' ? resolved.entry : undefined }
  })
  return found
}

/**
 * Compares a model that came from a plain URL with the catalogue's hash of it.
 * @throws BrasaError `hash_mismatch`; what had arrived is forgotten, or every later load would end here too
 */
async function checkEntry(opening: Opening, record: ModelRecord, entry: CatalogueModel): Promise<void> {
  const [file] = record.manifest.files
  // Of a folder's shards each was checked against its manifest's.
  const actual = file?.sha256 ?? (await hashStored(opening, record))
  if (actual === entry.sha256) return
  await opening.store.removeModel(opening.id)
  await opening.store.collectGarbage()
  const [origin] = record.origins
  const where = origin?.kind === 'folder' ? origin.manifestUrl : (file?.name ?? record.id)
  throw hashMismatch(
    where,
    entry.sha256,
    actual,
    'It is not the model that the catalogue describes: correct models.json, or put the right file there.',
  )
}

async function hashStored({ store, http, heap, signal }: Opening, record: ModelRecord): Promise<string> {
  // crypto.subtle wants all the bytes at once. Loaded only here: few models are checked as a whole.
  const [{ sha256 }, { bytesToHex }] = await Promise.all([
    import('@noble/hashes/sha2.js'),
    import('@noble/hashes/utils.js'),
  ])
  const hash = sha256.create()
  for (const file of storedFiles(record.manifest, createShardReader(record, { store, http, heap }), heap)) {
    for await (const { bytes } of file.shards(signal)) hash.update(bytes)
  }
  return bytesToHex(hash.digest())
}

function resolve(
  { reference, catalogueUrl, baseUrl, signal, format }: Opening,
  http: HttpSettings,
): Promise<ResolvedReference> {
  return resolveReference(reference, catalogueUrl, baseUrl, http, signal, format)
}

async function bringResolved(
  { id, http, signal }: Opening,
  resolved: ResolvedReference,
  download: Download,
): Promise<ModelRecord> {
  if (resolved.kind === 'files') return bringFiles(id, resolved.files, download)
  const { manifestUrl, fallbackUrls } = resolved
  let value: unknown
  try {
    value = await fetchJson(manifestUrl, http, signal)
  } catch (error) {
    const [url] = fallbackUrls
    if (url === undefined || !isBrasaError(error) || error.details.status !== 404) throw error
    return bringFiles(id, [url], download)
  }
  const manifest = parseManifest(value, manifestUrl)
  await downloadFolder(manifest, manifestUrl, download)
  return { id, manifest, origins: manifest.files.map(() => ({ kind: 'folder', manifestUrl })) }
}

async function bringFiles(
  id: string,
  sources: readonly (string | File)[],
  download: Download,
): Promise<ModelRecord> {
  const fetched = []
  for (const [index, source] of sources.entries()) {
    fetched.push(
      source instanceof File
        ? await importFile(source, download)
        : await downloadUrl(source, index, download),
    )
  }
  return {
    id,
    manifest: { version: 1, name: modelName(id, sources), files: fetched.map(({ file }) => file) },
    origins: fetched.map(({ origin }) => origin),
  }
}

function modelName(id: string, sources: readonly (string | File)[]): string {
  const [first] = sources
  if (first === undefined) return id
  return first instanceof File ? first.name : basename(first)
}

/** A condition is worth saying once a load. */
function warnOnce(onWarning: OpenModelOptions['onWarning']): Opening['warn'] {
  const said = new Set<StorageWarning['code']>()
  return (warning) => {
    if (warning === undefined || said.has(warning.code)) return
    said.add(warning.code)
    onWarning?.(warning)
  }
}
