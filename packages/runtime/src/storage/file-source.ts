import { BrasaError } from '../errors.ts'
import { checkMagic, type Download, type FetchedFile, inFlight } from './download.ts'
import type { ManifestShard } from './manifest.ts'

/**
 * Copies a File into the store, so that it is there after a reload like a model from a URL; a File read in place would
 * have to be chosen again. Its shards are slices that the browser copies from disk to disk, and where the disk is full they
 * stay slices of the File itself, which take no memory.
 * @throws BrasaError `not_a_gguf`, `truncated_model` (empty), `storage_unavailable` (changed since it was chosen), `aborted`
 */
export async function importFile(file: File, download: Download): Promise<FetchedFile> {
  const { progress, shardBytes } = download
  if (file.size === 0) {
    throw new BrasaError('truncated_model', { message: `${file.name} is empty. Choose another file.` })
  }
  const slices = Array.from({ length: Math.ceil(file.size / shardBytes) }, (_, shard) =>
    file.slice(shard * shardBytes, (shard + 1) * shardBytes),
  )
  progress.expect(file.size)
  const shards: ManifestShard[] = []
  await inFlight([...slices.entries()], download.signal, async ([index, slice]) => {
    if (index === 0) await checkMagic(slice, file.name, download.format)
    const sha256 = await download.hash(slice)
    if (download.isStored(sha256)) progress.cached(slice.size)
    else progress.arrived(slice.size)
    await download.commit(sha256, slice)
    shards[index] = { size: slice.size, sha256 }
  })
  return { file: { name: file.name, size: file.size, shards }, origin: { kind: 'file' } }
}
