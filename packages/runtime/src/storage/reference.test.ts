import { describe, expect, it } from 'vitest'
import { loadCatalogue } from './catalogue.ts'
import type { HttpSettings } from './http.ts'
import { type Reference, resolveReference, storedId } from './reference.ts'

const page = 'https://example.org/app/'
const catalogueUrl = 'models/models.json'
const model = {
  ...{ id: 'tiny', name: 'Tiny', architecture: 'llama', quantisation: 'Q4_1', parameters: 135_000_000 },
  ...{ licence: 'Apache-2.0', contextLength: 2048, size: 98_362_432, sha256: 'b1'.repeat(32) },
  manifest: 'tiny/manifest.json',
  sources: [
    { kind: 'file', path: 'public/models/tiny.gguf' },
    { kind: 'url', url: 'https://hub.example/tiny.gguf' },
    { kind: 'pypi', package: 'llm-tiny', version: '0.1.2', member: 'llm_tiny/tiny.gguf' },
  ],
}
const { signal } = new AbortController()

/** Answers with `document` at the catalogue's address, and 404 elsewhere. */
function serving(document: unknown): HttpSettings {
  return {
    ...{ tries: 1, backOffMs: 1, stallMs: 1000 },
    fetch: async (url) =>
      url === 'https://example.org/app/models/models.json'
        ? new Response(JSON.stringify(document))
        : new Response(null, { status: 404 }),
  }
}

const resolve = (reference: Reference, document: unknown = { models: [model] }) =>
  resolveReference(reference, catalogueUrl, page, serving(document), signal)

describe('resolveReference', () => {
  it.each([
    ['hf:owner/repo/file.gguf', 'https://huggingface.co/owner/repo/resolve/main/file.gguf'],
    ['hf:owner/repo/q4/a file.gguf', 'https://huggingface.co/owner/repo/resolve/main/q4/a%20file.gguf'],
    ['https://h.example/a.gguf?x=1', 'https://h.example/a.gguf?x=1'],
    ['https://h.example/download', 'https://h.example/download'],
    ['/models/a.gguf', 'https://example.org/models/a.gguf'],
    ['a.gguf', 'https://example.org/app/a.gguf'],
  ])('%s is the file %s', async (reference, url) => {
    expect(await resolve(reference)).toEqual({ kind: 'files', files: [url] })
    expect(storedId(reference, page)).toBe(url)
  })

  it('takes a .json for the manifest of a shard folder', async () => {
    const manifestUrl = 'https://example.org/models/tiny/manifest.json'
    expect(await resolve('../models/tiny/manifest.json')).toEqual({
      ...{ kind: 'folder', manifestUrl, fallbackUrls: [] },
    })
  })

  it('looks a name up in the catalogue', async () => {
    expect(await resolve('tiny')).toEqual({
      kind: 'folder',
      manifestUrl: 'https://example.org/app/models/tiny/manifest.json',
      entry: model,
      fallbackUrls: ['https://hub.example/tiny.gguf'],
    })
  })

  it('lists the names it knows for one it does not', async () => {
    await expect(resolve('huge')).rejects.toMatchObject({
      code: 'unknown_model',
      details: { known: ['tiny'] },
    })
  })

  it.each<[string, Reference]>([
    ['an hf: without a file', 'hf:owner/repo'],
    ['an hf: with a way up', 'hf:owner/repo/../x'],
    ['an empty list', []],
    ['a name in a list', ['tiny']],
    ['a manifest in a list', ['/a/manifest.json']],
  ])('refuses %s', async (_, reference) => {
    await expect(resolve(reference)).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it('says that a File which is not stored must be opened again', async () => {
    await expect(resolve('file:mine.gguf')).rejects.toMatchObject({ code: 'unknown_model' })
  })
})

describe('loadCatalogue', () => {
  const load = (document: unknown) =>
    loadCatalogue('https://example.org/app/models/models.json', serving(document), signal)

  it.each<[string, unknown]>([
    ['a list', [model]],
    ['a model without a hash', { models: [{ ...model, sha256: undefined }] }],
    ['a manifest elsewhere', { models: [{ ...model, manifest: 'https://evil.example/m.json' }] }],
    ['an unknown kind of source', { models: [{ ...model, sources: [{ kind: 'torrent' }] }] }],
    ['a context of no tokens', { models: [{ ...model, contextLength: 0 }] }],
  ])('refuses %s', async (_, document) => {
    await expect(load(document)).rejects.toMatchObject({ code: 'malformed_manifest' })
  })

  it('reads one that is well formed', async () => {
    expect(await load({ models: [model] })).toEqual([model])
  })
})
