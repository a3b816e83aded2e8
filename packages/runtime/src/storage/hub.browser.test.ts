import { beforeEach, describe, expect, it } from 'vitest'
import { modelBytes } from './fake-server.ts'
import { sha256Hex } from './hash.ts'
import { contents, failure, json, open, server, store } from './storage-fixture.ts'
import { listModels } from './stored-models.ts'

const listing = 'https://huggingface.co/api/models/owner/repo/revision/main?blobs=true'
const fileUrl = (path: string) => `https://huggingface.co/owner/repo/resolve/main/${encodeURI(path)}`
const bytes = modelBytes(4500)
const noCheck = async () => {}

/** Publishes files in owner/repo; what the hub says of them may be wrong. */
async function publish(
  files: Record<string, Uint8Array<ArrayBuffer>>,
  lies: { size?: number; sha256?: string } = {},
): Promise<void> {
  const siblings = []
  for (const [path, content] of Object.entries(files)) {
    server.files.set(fileUrl(path), { bytes: content, etag: '"1"' })
    const lfs = { size: content.byteLength, sha256: await sha256Hex(content), ...lies }
    siblings.push({ rfilename: path, size: lfs.size, lfs })
  }
  siblings.push({ rfilename: 'README.md', size: 12 })
  server.files.set(listing, { bytes: json({ id: 'owner/repo', siblings }) })
}

describe('a file on the hub', () => {
  beforeEach(() => publish({ 'q4/a b.gguf': bytes }))

  it.each([
    'hf:owner/repo/q4/a b.gguf',
    'https://huggingface.co/owner/repo/resolve/main/q4/a%20b.gguf',
    'https://huggingface.co/owner/repo/blob/main/q4/a%20b.gguf',
  ])('is compared with what the hub says of it: %s', async (reference) => {
    const model = await open(reference)
    expect(await contents(model)).toEqual(bytes)
    expect(model.id).toBe(fileUrl('q4/a b.gguf'))
    expect(model.manifest.files[0]!.sha256).toBe(await sha256Hex(bytes))
    expect(server.requests.filter(({ url }) => url === listing)).toHaveLength(1)

    // What is stored was checked then.
    server.behave = () => ({ unreachable: true })
    expect(await contents(await open(reference))).toEqual(bytes)
  })

  it('is refused and not kept when its hash is another', async () => {
    await publish({ 'q4/a b.gguf': bytes }, { sha256: 'ab'.repeat(32) })
    const error = await failure(open('hf:owner/repo/q4/a b.gguf'))
    expect(error.code).toBe('hash_mismatch')
    expect(error.details).toEqual({ expected: 'ab'.repeat(32), actual: await sha256Hex(bytes) })
    expect(await listModels(store)).toEqual([])
    expect((await store.shardHashes()).size).toBe(0)
  })

  it('is refused before it is downloaded when its size is another', async () => {
    await publish({ 'a.gguf': modelBytes(600_000) }, { size: 4400 })
    const error = await failure(open('hf:owner/repo/a.gguf', { beforeDownload: noCheck }))
    expect(error.code).toBe('truncated_model')
    expect(error.message).toContain('600000')
    expect((await store.shardHashes()).size).toBe(0)
  })

  it('that is not there is told with those that are', async () => {
    const error = await failure(open('hf:owner/repo/b.gguf'))
    expect(error.code).toBe('http_error')
    expect(error.message).toContain('q4/a b.gguf')
    expect(error.message).not.toContain('README')
  })

  it('cannot be loaded unchecked when the hub does not answer', async () => {
    server.behave = ({ url }) => (url === listing ? { unreachable: true } : undefined)
    expect((await failure(open('hf:owner/repo/q4/a b.gguf'))).code).toBe('network_error')
  })

  it('whose listing makes no sense is refused', async () => {
    server.files.set(listing, {
      bytes: json({ siblings: [{ rfilename: 'a.gguf', lfs: { sha256: 'x', size: 1 } }] }),
    })
    expect((await failure(open('hf:owner/repo/a.gguf'))).code).toBe('malformed_manifest')
  })

  it('that is a part of a split model stands for all parts', async () => {
    const parts = [1, 2, 3].map((seed) => modelBytes(1500, seed))
    const names = [1, 2, 3].map((number) => `m-0000${number}-of-00003.gguf`)
    await publish(Object.fromEntries(names.map((name, index) => [name, parts[index]!])))
    const model = await open(`hf:owner/repo/${names[0]}`)
    expect(model.manifest.files.map(({ name }) => name)).toEqual(names)
    for (const [file, content] of parts.entries()) expect(await contents(model, file)).toEqual(content)
  })
})
