import * as v from 'valibot'
import { BrasaError, isBrasaError } from '../errors.ts'
import { type HttpSettings, request, withRetries } from './http.ts'
import type { ModelFormat } from './manifest.ts'
import { byteCountSchema, parseDocument, relativePathSchema, sha256Schema } from './manifest-schema.ts'

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(1024))

const packagedFile = { package: text, version: text, member: text }

/** Places to get a model file from, tried in order; all but `url` are for the fetch script, a page uses `url`. */
const sourceSchema = v.variant('kind', [
  v.object({ kind: v.literal('file'), path: text }),
  v.object({ kind: v.literal('url'), url: v.pipe(text, v.url()) }),
  v.object({ kind: v.picklist(['pypi', 'npm']), ...packagedFile }),
  v.object({ kind: v.literal('pypi-parts'), parts: v.array(v.object(packagedFile)) }),
])

const modelSchema = v.object({
  id: v.pipe(text, v.regex(/^[a-z0-9][a-z0-9._-]*$/, 'not lower-case letters, digits, ".", "_" and "-"')),
  name: text,
  /** GGUF where it is left out. */
  format: v.optional(v.picklist(['gguf', 'onnx'])),
  architecture: text,
  quantisation: text,
  parameters: v.union([v.pipe(v.number(), v.minValue(1)), text]),
  licence: text,
  /** Where terms stand that a person must accept first: its files are fetched by who does, and are in no build. */
  terms: v.optional(v.pipe(text, v.url())),
  /** Tokens; of a model that takes no text, the elements of one window. */
  contextLength: byteCountSchema,
  /** What WebAssembly holds with a conversation of so many tokens, to be known before anything is fetched. */
  memory: v.optional(v.object({ bytes: byteCountSchema, contextLength: byteCountSchema })),
  /** Of all files. */
  size: byteCountSchema,
  /** Of the only file; of an ONNX model the first one, which is the .onnx. */
  sha256: sha256Schema,
  /** Relative to models.json itself. */
  manifest: relativePathSchema,
  sources: v.array(sourceSchema),
  /** What an ONNX model is made of, the .onnx first, for the fetch script: a page takes the folder's manifest. */
  files: v.optional(
    v.array(
      v.object({ name: text, size: byteCountSchema, sha256: sha256Schema, sources: v.array(sourceSchema) }),
    ),
  ),
})

const catalogueSchema = v.object({ models: v.array(modelSchema) })

/** One entry of `models.json`. */
export type CatalogueModel = v.InferOutput<typeof modelSchema>

export const formatOf = ({ format }: CatalogueModel): ModelFormat => format ?? 'gguf'

/**
 * Reads and checks `models.json`.
 * @throws BrasaError `malformed_manifest`, `http_error`, `network_error`, `aborted`
 */
export async function loadCatalogue(
  url: string,
  http: HttpSettings,
  signal: AbortSignal,
): Promise<readonly CatalogueModel[]> {
  const value = await fetchJson(url, http, signal)
  return parseDocument(catalogueSchema, value, url, 'catalogue', 'Correct that entry.').models
}

/** @throws BrasaError `unknown_model`, listing the names that the catalogue knows */
export function findModel(models: readonly CatalogueModel[], id: string): CatalogueModel {
  const model = models.find((candidate) => candidate.id === id)
  if (model !== undefined) return model
  const known = models.map((candidate) => candidate.id)
  throw new BrasaError('unknown_model', {
    message: `There is no model "${id}" in the catalogue. It knows: ${known.join(', ') || 'none'}. A model can also be a URL, hf:owner/repo/file.gguf, or a File.`,
    details: { model: id, known },
  })
}

/** More than any catalogue or manifest needs, and little enough to parse at once. */
const maxJsonBytes = 32 * 1024 * 1024

/**
 * A small JSON document.
 * @throws BrasaError `malformed_manifest` if it is no JSON or too large, `http_error`, `network_error`, `aborted`
 */
export async function fetchJson(url: string, http: HttpSettings, signal: AbortSignal): Promise<unknown> {
  const blob = await withRetries(
    async () => {
      const response = await request(url, {}, http, signal)
      const chunks: Uint8Array<ArrayBuffer>[] = []
      let size = 0
      for await (const chunk of response.chunks()) {
        size += chunk.byteLength
        if (size > maxJsonBytes) throw notJson(url, 'it is too large')
        chunks.push(chunk)
      }
      return new Blob(chunks)
    },
    http,
    signal,
  )
  try {
    return JSON.parse(await blob.text())
  } catch (error) {
    if (isBrasaError(error)) throw error
    throw notJson(url, 'it is not JSON, and may be the page that the server sends for any address', error)
  }
}

function notJson(url: string, reason: string, cause?: unknown): BrasaError {
  return new BrasaError('malformed_manifest', {
    message: `${url} cannot be read: ${reason}. Check the address.`,
    details: { url },
    cause,
  })
}
