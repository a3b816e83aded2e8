import { isBrasaError } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'
import { type CatalogueModel, fetchJson, formatOf } from './catalogue.ts'
import type { Download } from './download.ts'
import { createHeapMeter, type HeapMeter } from './heap-meter.ts'
import { defaultHttp, type HttpSettings } from './http.ts'
import { askHub, type ExpectedFile } from './hub.ts'
import { type Manifest, type ModelFormat, shardSize } from './manifest.ts'
import { parseManifest } from './manifest-schema.ts'
import type { StorageProgress } from './progress.ts'
import { type Reference, type ResolvedReference, resolveReference, storedId } from './reference.ts'
import { openRemoteBytes } from './remote-bytes.ts'
import { type ModelRecord, manifestHashes, type ShardStore, type StorageWarning } from './shard-store.ts'
import { type UnopenedFile, unopenedLocalFile, unopenedShards } from './unopened-file.ts'

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
  /**
   * Called with the model's files where they come from, before anything of them is stored and only where something is
   * missing: for what a header can tell. What it throws, the opening throws.
   */
  readonly beforeDownload?: (files: readonly ByteSource[]) => Promise<void>
  /** For tests and for servers that need other manners. */
  readonly http?: Partial<HttpSettings>
  /** Bytes a shard has where the model is cut here. 16 MiB. */
  readonly shardBytes?: number
  /** Counts model bytes on the JS heap. */
  readonly heap?: HeapMeter
}

/** What the steps of opening one model share. */
export interface Opening extends Pick<Download, 'http' | 'heap' | 'signal' | 'shardBytes' | 'format'> {
  readonly id: string
  readonly reference: Reference
  readonly store: ShardStore
  readonly catalogueUrl: string
  readonly baseUrl: string
  readonly onProgress: OpenModelOptions['onProgress']
  readonly beforeDownload: OpenModelOptions['beforeDownload']
  readonly warn: (warnings: readonly StorageWarning[]) => void
}

/** Where a model's files are, once that is known. */
export type Place =
  | { readonly kind: 'folder'; readonly manifestUrl: string; readonly manifest: Manifest }
  | {
      readonly kind: 'files'
      readonly files: readonly (string | File)[]
      /** Of each file, what the place that publishes it says of it. */
      readonly expected: readonly (ExpectedFile | undefined)[]
    }

export function openingOf(reference: Reference, options: OpenModelOptions): Opening {
  const baseUrl = options.baseUrl ?? globalThis.location.href
  const { store, onProgress, beforeDownload, signal = new AbortController().signal } = options
  return {
    ...{ id: storedId(reference, baseUrl), reference, baseUrl, store, onProgress, beforeDownload, signal },
    http: { ...defaultHttp, ...options.http },
    heap: options.heap ?? createHeapMeter(),
    catalogueUrl: options.catalogueUrl ?? 'models/models.json',
    shardBytes: options.shardBytes ?? shardSize,
    format: options.format ?? 'gguf',
    warn: warnOnce(options.onWarning),
  }
}

export interface Found {
  readonly record: ModelRecord
  readonly entry?: CatalogueModel | undefined
}

/** How long a stored model waits for a server to say that there is a newer one. */
const freshnessMs = 3000

/** The model as it is stored, if it is whole and not out of date as far as can be found out quickly. */
export async function findStored(opening: Opening): Promise<Found | undefined> {
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

export function resolve(
  { reference, catalogueUrl, baseUrl, signal, format }: Opening,
  http: HttpSettings,
): Promise<ResolvedReference> {
  return resolveReference(reference, catalogueUrl, baseUrl, http, signal, format)
}

/** A catalogue's model that has no folder here is taken from the first address that its entry names. */
export async function locate({ http, signal }: Opening, resolved: ResolvedReference): Promise<Place> {
  if (resolved.kind === 'files')
    return { ...resolved, expected: await expectedOf(resolved.files, http, signal) }
  const { manifestUrl, fallbackUrls } = resolved
  try {
    const manifest = parseManifest(await fetchJson(manifestUrl, http, signal), manifestUrl)
    return { kind: 'folder', manifestUrl, manifest }
  } catch (error) {
    const [url] = fallbackUrls
    if (url === undefined || !isBrasaError(error) || error.details.status !== 404) throw error
    // The entry itself says what it is to be.
    return { kind: 'files', files: [url], expected: [undefined] }
  }
}

async function expectedOf(files: readonly (string | File)[], http: HttpSettings, signal: AbortSignal) {
  const urls = files.flatMap((file) => (typeof file === 'string' ? [file] : []))
  const answers = await askHub(urls, http, signal)
  return files.map((file) => (typeof file === 'string' ? answers[urls.indexOf(file)] : undefined))
}

/** The files of a place, to be closed by the caller. */
export async function openPlace({ http, signal }: Opening, place: Place): Promise<readonly UnopenedFile[]> {
  if (place.kind === 'folder') {
    const { manifest, manifestUrl } = place
    return manifest.files.map((file) => unopenedShards(file, manifestUrl, http, signal))
  }
  return Promise.all(
    place.files.map((file) =>
      file instanceof File ? unopenedLocalFile(file) : openRemoteBytes(file, http, signal),
    ),
  )
}

/** Everything is worth saying once a load. */
function warnOnce(onWarning: OpenModelOptions['onWarning']): Opening['warn'] {
  const said = new Set<string>()
  return (warnings) => {
    for (const warning of warnings) {
      if (said.has(warning.message)) continue
      said.add(warning.message)
      onWarning?.(warning)
    }
  }
}
