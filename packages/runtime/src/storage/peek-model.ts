import { throwIfAborted } from '../errors.ts'
import type { ByteSource } from './byte-source.ts'
import type { CatalogueModel } from './catalogue.ts'
import {
  findStored,
  locate,
  type Opening,
  type OpenModelOptions,
  openingOf,
  openPlace,
  type Place,
  resolve,
} from './opening.ts'
import type { Reference } from './reference.ts'
import { createShardReader } from './shard-reader.ts'
import { storedFiles } from './stored-file.ts'

/** A model's files where they are: in the store, or where they would come from. */
export interface PeekedModel {
  readonly id: string
  readonly files: readonly ByteSource[]
  /** Bytes of it that are in the store. */
  readonly storedBytes: number
  /** Whether opening it needs no network: it is stored, or was chosen from this machine. */
  readonly isHere: boolean
  readonly entry?: CatalogueModel
  /** Ends what is still open. */
  close(): void
}

/**
 * Finds a model and stores nothing of it: reads of its header cost little more than the header.
 * @throws BrasaError what `openModel` throws for a reference, a network or a server
 */
export async function peekModel(reference: Reference, options: OpenModelOptions): Promise<PeekedModel> {
  const opening = openingOf(reference, options)
  const { id, store, http, heap, signal } = opening
  throwIfAborted(signal)
  const found = await findStored(opening)
  if (found !== undefined) {
    const { record, entry } = found
    const files = storedFiles(record.manifest, createShardReader(record, { store, http, heap }), heap)
    return {
      ...{ id, files, isHere: true, close: () => {} },
      storedBytes: files.reduce((sum, { size }) => sum + size, 0),
      ...(entry === undefined ? {} : { entry }),
    }
  }
  const resolved = await resolve(opening, http)
  const place = await locate(opening, resolved)
  const files = await openPlace(opening, place)
  return {
    ...{ id, files },
    storedBytes: await storedBytesOf(opening, place),
    isHere: place.kind === 'files' && place.files.every((file) => file instanceof File),
    ...(resolved.kind === 'folder' && resolved.entry !== undefined ? { entry: resolved.entry } : {}),
    close() {
      for (const file of files) file.close()
    },
  }
}

/** What an unfinished download, or another model that shares shards, has brought already. */
async function storedBytesOf({ id, store, shardBytes }: Opening, place: Place): Promise<number> {
  const stored = await store.shardHashes()
  if (place.kind === 'folder') {
    const shards = place.manifest.files.flatMap((file) => file.shards)
    return shards.reduce((sum, { sha256, size }) => sum + (stored.has(sha256) ? size : 0), 0)
  }
  const partial = await store.getPartial(id)
  return Object.values(partial?.files ?? {}).reduce(
    (sum, { size, shards }) =>
      sum +
      shards.reduce(
        (bytes, sha256, index) =>
          bytes +
          (sha256 !== null && stored.has(sha256) ? Math.min(shardBytes, size - index * shardBytes) : 0),
        0,
      ),
    0,
  )
}
