import { BrasaError } from '../errors.ts'
import { type CatalogueModel, findModel, formatOf, loadCatalogue } from './catalogue.ts'
import type { HttpSettings } from './http.ts'
import { hubUrl } from './hub.ts'
import type { ModelFormat } from './manifest.ts'

/**
 * A catalogue name, `hf:owner/repo/file.gguf`, a URL of a manifest.json or a .gguf, a `File`, or a split GGUF's parts. One part's
 * address stands for all.
 */
export type Reference = string | File | readonly (string | File)[]

/** What a reference comes down to. */
export type ResolvedReference =
  | {
      readonly kind: 'folder'
      readonly manifestUrl: string
      readonly entry?: CatalogueModel
      /** To be tried where there is no such folder. */
      readonly fallbackUrls: readonly string[]
    }
  | { readonly kind: 'files'; readonly files: readonly (string | File)[] }

/** The name under which the store keeps what `reference` loads. A File is kept by its name. */
export function storedId(reference: Reference, baseUrl: string): string {
  if (reference instanceof File) return `file:${reference.name}`
  if (typeof reference !== 'string') return reference.map((part) => storedId(part, baseUrl)).join(' + ')
  return isAddress(reference) ? toUrl(reference, baseUrl) : reference
}

/**
 * Finds out where a model comes from; asks the catalogue for a plain name.
 * @throws BrasaError `unknown_model`, `invalid_request`, and what reading the catalogue throws
 */
export async function resolveReference(
  reference: Reference,
  catalogueUrl: string,
  baseUrl: string,
  http: HttpSettings,
  signal: AbortSignal,
  format: ModelFormat = 'gguf',
): Promise<ResolvedReference> {
  if (reference instanceof File) return { kind: 'files', files: [reference] }
  if (typeof reference !== 'string') {
    if (reference.length === 0) throw invalidReference('A list of split files is empty: give every part.')
    const files = reference.map((part) => (part instanceof File ? part : partUrl(part, baseUrl)))
    return { kind: 'files', files }
  }
  if (reference.startsWith('file:')) throw fileNotStored(reference)
  if (isAddress(reference)) {
    const url = toUrl(reference, baseUrl)
    return isManifest(url)
      ? { kind: 'folder', manifestUrl: url, fallbackUrls: [] }
      : { kind: 'files', files: partsOf(url) }
  }
  const catalogue = new URL(catalogueUrl, baseUrl).href
  const models = await loadCatalogue(catalogue, http, signal)
  const entry = findModel(
    models.filter((model) => formatOf(model) === format),
    reference,
  )
  return {
    kind: 'folder',
    manifestUrl: new URL(entry.manifest, catalogue).href,
    entry,
    fallbackUrls: entry.sources.flatMap((source) => (source.kind === 'url' ? [source.url] : [])),
  }
}

/** What someone hears who names a File that the store does not have. */
export function fileNotStored(id: string): BrasaError {
  return new BrasaError('unknown_model', {
    message: `${id.slice('file:'.length)} is not in this browser’s storage: open the file again.`,
    details: { model: id },
  })
}

function isAddress(reference: string): boolean {
  return (
    /^(hf:|https?:\/\/|blob:|data:|\.{0,2}\/)|\.(gguf|onnx|json)$/i.test(reference) &&
    !reference.startsWith('file:')
  )
}

function isManifest(url: string): boolean {
  return new URL(url).pathname.toLowerCase().endsWith('.json')
}

function partUrl(part: string, baseUrl: string): string {
  // Other JSON files belong to ONNX models.
  if (!isAddress(part) || /\/manifest\.json$/i.test(new URL(toUrl(part, baseUrl)).pathname)) {
    throw invalidReference(
      `"${part}" is not the address of a model file: a list holds the parts of a split GGUF, or the files of an ONNX model.`,
    )
  }
  return toUrl(part, baseUrl)
}

function toUrl(reference: string, baseUrl: string): string {
  if (!reference.startsWith('hf:')) {
    try {
      return fileOfPage(new URL(reference, baseUrl)).href
    } catch (cause) {
      throw invalidReference(`"${reference}" is not an address.`, cause)
    }
  }
  const [owner, repo, ...path] = reference.slice('hf:'.length).split('/')
  if (!owner || !repo || path.length === 0 || path.some((part) => part === '' || part === '..')) {
    throw invalidReference(`"${reference}" is not of the form hf:owner/repo/file.gguf.`)
  }
  return hubUrl(owner, repo, path)
}

/** The hub's page about a file is what people copy; the file itself is beside it. */
function fileOfPage(url: URL): URL {
  if (url.host !== 'huggingface.co') return url
  return new URL(url.href.replace(/^(https:\/\/[^/]+\/[^/]+\/[^/]+)\/blob\//, '$1/resolve/'))
}

/** More are no model, but an address that is meant to cost time. */
const maxParts = 1024

/** All parts of the split GGUF that an address names one of, as gguf-split names them; else the address alone. */
function partsOf(url: string): readonly string[] {
  const address = new URL(url)
  const [, name, count] = /^(.*)-\d{5}-of-(\d{5})\.gguf$/i.exec(address.pathname) ?? []
  if (name === undefined || Number(count) < 1 || Number(count) > maxParts) return [url]
  return Array.from({ length: Number(count) }, (_, index) => {
    const part = new URL(address)
    part.pathname = `${name}-${String(index + 1).padStart(5, '0')}-of-${count}.gguf`
    return part.href
  })
}

function invalidReference(message: string, cause?: unknown): BrasaError {
  return new BrasaError('invalid_request', { message, cause })
}
