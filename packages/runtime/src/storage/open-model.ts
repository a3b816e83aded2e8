import { throwIfAborted } from '../errors.ts'
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
import type { ModelRecord } from './shard-store.ts'
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
  return {
    id: record.id,
    manifest: record.manifest,
    files: storedFiles(record.manifest, createShardReader(record, { store, http, heap, onProgress }), heap),
    ...(entry === undefined ? {} : { entry }),
  }
}

/** Downloads or imports the model under its lock; a second tab that waited for the lock finds it stored. */
async function bring(opening: Opening): Promise<Found> {
  const { id, store, signal, warn } = opening
  const found = await underModelLock(id, signal, async () => {
    const meanwhile = await findStored(opening)
    if (meanwhile !== undefined) return meanwhile

    const resolved = await resolve(opening, opening.http)
    const place = await locate(opening, resolved)
    await checkBeforeDownload(opening, place)
    warn(store.warning())
    const progress = createProgressMeter('download', opening.onProgress)
    const download = await startDownload({
      ...{ ...opening, progress },
      onStoreChange: () => warn(store.warning()),
    })
    const record = await bringFrom(place, id, download)
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

async function checkBeforeDownload(opening: Opening, place: Place): Promise<void> {
  if (opening.beforeDownload === undefined) return
  const files = await openPlace(opening, place)
  try {
    await opening.beforeDownload(files)
  } finally {
    for (const file of files) file.close()
  }
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
