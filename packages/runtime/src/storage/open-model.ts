import { BrasaError, throwIfAborted } from '../errors.ts'
import type { CatalogueModel } from './catalogue.ts'
import { basename, type Download, startDownload } from './download.ts'
import { importFile } from './file-source.ts'
import { hashMismatch } from './hash.ts'
import type { Manifest } from './manifest.ts'
import { underModelLock } from './model-lock.ts'
import {
  type Found,
  findStored,
  locate,
  type Opening,
  type OpenModelOptions,
  openingOf,
  openPlace,
  type Place,
  resolve,
} from './opening.ts'
import { createProgressMeter } from './progress.ts'
import type { Reference } from './reference.ts'
import { downloadFolder } from './shard-folder.ts'
import { createShardReader } from './shard-reader.ts'
import type { ModelRecord, StorageWarning } from './shard-store.ts'
import { type StoredFile, storedFiles } from './stored-file.ts'
import { downloadUrl } from './url-source.ts'

export type { OpenModelOptions } from './opening.ts'

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
  const opening = openingOf(reference, options)
  const { store, http, heap, onProgress, signal } = opening
  throwIfAborted(signal)

  const { record, entry } = (await findStored(opening)) ?? (await bring(opening))
  // Only what may be evicted first depends on it.
  await store.noteModel(record.id, { lastUsedAt: Date.now() }).catch(() => false)
  const onRepair = (warning: StorageWarning) => opening.warn([warning])
  const reader = createShardReader(record, { store, http, heap, onProgress, onRepair })
  return {
    id: record.id,
    manifest: record.manifest,
    files: storedFiles(record.manifest, reader, heap),
    ...(entry === undefined ? {} : { entry }),
  }
}

/** Downloads or imports the model under its lock; a second tab that waited for the lock finds it stored. */
async function bring(opening: Opening): Promise<Found> {
  const { id, store, signal, warn } = opening
  const wait = () => opening.onProgress?.({ phase: 'wait', loadedBytes: 0, totalBytes: 0, cachedBytes: 0 })
  const load = async () => {
    const meanwhile = await findStored(opening)
    if (meanwhile !== undefined) return meanwhile

    const resolved = await resolve(opening, opening.http)
    const place = await locate(opening, resolved)
    await checkBeforeDownload(opening, place)
    warn(store.warnings())
    const progress = createProgressMeter('download', opening.onProgress)
    const download = await startDownload({
      ...{ ...opening, progress, sizeBytes: sizeOf(place) },
      onStoreChange: () => warn(store.warnings()),
    })
    const brought = await bringFrom(place, id, download)
    progress.finish()
    const entry = resolved.kind === 'folder' ? resolved.entry : undefined
    const record = await checkBrought(opening, brought, place, entry)
    throwIfAborted(signal)
    await store.commitModel(record)
    warn(store.warnings())
    await store.collectGarbage()
    return { record, entry }
  }
  return underModelLock(id, signal, load, wait)
}

/** Of the whole model, where that is known before it is here. */
function sizeOf(place: Place): number | undefined {
  const sizes =
    place.kind === 'folder'
      ? place.manifest.files.map(({ size }) => size)
      : place.files.map((file, index) => (file instanceof File ? file.size : place.expected[index]?.size))
  return sizes.reduce((sum, size) => (sum === undefined || size === undefined ? undefined : sum + size), 0)
}

/**
 * Compares what arrived with what the catalogue, or the hub, says that it is.
 * @returns the record with the hashes that were found
 * @throws BrasaError `hash_mismatch`; what had arrived is forgotten, or every later load would end here too
 */
async function checkBrought(
  opening: Opening,
  record: ModelRecord,
  place: Place,
  entry: CatalogueModel | undefined,
): Promise<ModelRecord> {
  const fromCatalogue =
    'It is not the model that the catalogue describes: correct models.json, or put the right file there.'
  const fromHub = 'It is not the file that the hub describes. Load it again, or from another copy.'
  const [origin] = record.origins
  const files = []
  for (const [index, file] of record.manifest.files.entries()) {
    const isEntrys = entry !== undefined && index === 0
    const known = place.kind === 'files' ? place.expected[index]?.sha256 : undefined
    const expected = isEntrys ? entry.sha256 : known
    if (expected === undefined) {
      files.push(file)
      continue
    }
    // Of a folder's shards each was checked against its manifest's.
    const actual = file.sha256 ?? (await hashStored(opening, record, index))
    if (actual !== expected) {
      await opening.store.removeModel(opening.id)
      await opening.store.collectGarbage()
      const where = isEntrys && origin?.kind === 'folder' ? origin.manifestUrl : file.name
      throw hashMismatch(where, expected, actual, isEntrys ? fromCatalogue : fromHub)
    }
    files.push({ ...file, sha256: actual })
  }
  return { ...record, manifest: { ...record.manifest, files } }
}

async function hashStored(opening: Opening, record: ModelRecord, index: number): Promise<string> {
  const { store, http, heap, signal, onProgress } = opening
  // crypto.subtle wants all the bytes at once. Loaded only here: few models are checked as a whole.
  const [{ sha256 }, { bytesToHex }] = await Promise.all([
    import('@noble/hashes/sha2.js'),
    import('@noble/hashes/utils.js'),
  ])
  const hash = sha256.create()
  const reader = createShardReader(record, { store, http, heap, onProgress })
  const file = storedFiles(record.manifest, reader, heap)[index]!
  for await (const { bytes } of file.shards(signal)) hash.update(bytes)
  return bytesToHex(hash.digest())
}

/** @throws BrasaError what the caller's own check does; `truncated_model` where the server has not what the hub describes */
async function checkBeforeDownload(opening: Opening, place: Place): Promise<void> {
  if (opening.beforeDownload === undefined) return
  const files = await openPlace(opening, place)
  try {
    if (place.kind === 'files') {
      for (const [index, { size }] of files.entries()) checkSize(size, place, index)
    }
    await opening.beforeDownload(files)
  } finally {
    for (const file of files) file.close()
  }
}

function checkSize(size: number, { files, expected }: Place & { kind: 'files' }, index: number): void {
  const wanted = expected[index]?.size
  // A server need not say how long a file is.
  if (wanted === undefined || size === wanted || size === Number.MAX_SAFE_INTEGER) return
  throw new BrasaError('truncated_model', {
    message: `${String(files[index])} has ${size} bytes, and the hub says ${wanted}. Load it again later, or from another copy.`,
    details: { expected: wanted, actual: size },
  })
}

async function bringFrom(place: Place, id: string, download: Download): Promise<ModelRecord> {
  if (place.kind === 'files') return bringFiles(id, place.files, download)
  const { manifest, manifestUrl } = place
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
