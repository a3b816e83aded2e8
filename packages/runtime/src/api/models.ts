import { BrasaError } from '../errors.ts'
import { type CatalogueModel, formatOf, loadCatalogue } from '../storage/catalogue.ts'
import { defaultHttp } from '../storage/http.ts'
import { openShardStore } from '../storage/overflow-store.ts'
import { listModels, removeModel } from '../storage/stored-models.ts'
import type { CatalogueEntry, StoredModel } from './types.ts'

/** Models in this browser's storage, unfinished downloads included. @throws BrasaError `storage_unavailable` */
export async function listStoredModels(): Promise<readonly StoredModel[]> {
  return listModels(await openShardStore())
}

/**
 * Removes a model from this browser's storage, whose id `listStoredModels` tells. An id that is not there is no error. An
 * engine that has the model loaded keeps it until it must load it again.
 * @throws BrasaError `storage_unavailable`
 */
export async function removeStoredModel(id: string): Promise<void> {
  if (typeof id !== 'string') {
    throw new BrasaError('invalid_request', { message: 'removeStoredModel takes a stored model’s id.' })
  }
  await removeModel(await openShardStore(), id)
}

/**
 * Pins a stored model, whose id `listStoredModels` tells, or unpins it. When the browser's storage is full, models that were not used
 * for longest make room for a new one; a pinned model never does.
 * @throws BrasaError `unknown_model` for what is not stored, or not whole yet; `storage_unavailable`
 */
export async function pinStoredModel(id: string, pinned: boolean): Promise<void> {
  if (typeof id !== 'string' || typeof pinned !== 'boolean') {
    throw new BrasaError('invalid_request', {
      message: 'pinStoredModel takes a stored model’s id, and whether it is to be pinned.',
    })
  }
  if (await (await openShardStore()).noteModel(id, { pinned })) return
  throw new BrasaError('unknown_model', {
    message: `"${id}" is not in this browser’s storage, or not all of it. Load it first, then pin it.`,
    details: { model: id },
  })
}

/**
 * The language models that a catalogue names; `models/models.json` beside the page by default.
 * @throws BrasaError `malformed_manifest`, `http_error`, `network_error`, `aborted`
 */
export async function listCatalogue(url?: string, signal?: AbortSignal): Promise<readonly CatalogueEntry[]> {
  const never = new AbortController().signal
  const models = await loadCatalogue(catalogueUrlOf(url), defaultHttp, signal ?? never)
  return models.filter((model) => formatOf(model) === 'gguf').map(entryOf)
}

function entryOf({
  id,
  name,
  architecture,
  quantisation,
  licence,
  contextLength,
  size,
  terms,
  parameters,
  memory,
}: CatalogueModel) {
  const entry = { id, name, architecture, parameters, quantisation, licence, contextLength, sizeBytes: size }
  return { ...entry, ...(terms === undefined ? {} : { terms }), ...(memory === undefined ? {} : { memory }) }
}

/** @throws BrasaError `invalid_request` */
export function catalogueUrlOf(url = 'models/models.json'): string {
  if (URL.canParse(url, pageUrl())) return new URL(url, pageUrl()).href
  throw new BrasaError('invalid_request', {
    message: `"catalogueUrl" is "${url}", which is not an address.`,
    details: { parameter: 'catalogueUrl', value: url },
  })
}

/** What relative addresses are relative to. */
export function pageUrl(): string {
  return globalThis.document?.baseURI ?? globalThis.location.href
}
