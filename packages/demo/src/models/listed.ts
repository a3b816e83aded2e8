import type { CatalogueEntry, ModelReference, StoredModel } from '@brasa/runtime'
import { familyName } from '../format/family-names.ts'
import { formatCount } from '../format/units.ts'
import { catalogue, model, reference, referenceName, storedModels } from '../state/model.ts'
import { facts } from '../state/model-facts.ts'
import { words } from '../words/words.ts'

/** A model as the page lists it: stored, on offer, or both. */
export interface ListedModel {
  readonly id: string
  readonly name: string
  readonly isOnnx: boolean
  readonly stored?: StoredModel
  readonly entry?: CatalogueEntry
}

/** A stored id tells by its ending, or by being a name that the catalogue of chat models does not have. */
export function isOnnx(id: string): boolean {
  if (/[:/]/.test(id)) return /\.onnx$/i.test(id)
  return catalogue.value.length > 0 && !catalogue.value.some((entry) => entry.id === id)
}

/** What is here, the model in use first, then what was used last. */
export function modelsHere(): readonly ListedModel[] {
  const inUse = currentId()
  const rank = ({ id, lastUsedAt = 0 }: StoredModel) => (id === inUse ? Number.POSITIVE_INFINITY : lastUsedAt)
  return [...storedModels.value]
    .sort((a, b) => rank(b) - rank(a) || a.id.localeCompare(b.id))
    .map((stored) => {
      const entry = catalogue.value.find(({ id }) => id === stored.id)
      const name = entry?.name ?? referenceName(stored.id)
      return { id: stored.id, name, isOnnx: isOnnx(stored.id), stored, ...(entry && { entry }) }
    })
}

export function modelsOnOffer(): readonly ListedModel[] {
  const stored = new Set(storedModels.value.map(({ id }) => id))
  return catalogue.value
    .filter(({ id }) => !stored.has(id))
    .map((entry) => ({ id: entry.id, name: entry.name, isOnnx: false, entry }))
}

/** Under which name the model at hand is, or would be, stored. */
export function currentId(): string {
  if (model.value.kind === 'ready') return model.value.engine.model.id
  return idOf(reference.value)
}

function idOf(wanted: ModelReference): string {
  if (wanted instanceof File) return `file:${wanted.name}`
  if (typeof wanted === 'string') return wanted
  return wanted.map(idOf).join(' + ')
}

/** Family, parameters, quantisation, licence and context, as far as the catalogue or the file's header tells. */
export function factsLine({ id, entry }: ListedModel): readonly string[] {
  const known = facts.value[id]
  const { parameters, context } = words.value.models
  const architecture = entry?.architecture ?? known?.architecture
  const count = entry?.parameters ?? known?.parameters
  const quantisation = entry?.quantisation ?? known?.quantisation
  const licence = entry?.licence ?? known?.licence
  const contextLength = entry?.contextLength ?? known?.contextLength
  return [
    ...(architecture === undefined ? [] : [familyName(architecture)]),
    ...(count === undefined ? [] : [parameters(typeof count === 'number' ? formatParameters(count) : count)]),
    ...(quantisation === undefined ? [] : [quantisation]),
    ...(contextLength === undefined ? [] : [context(formatCount(contextLength))]),
    ...(licence === undefined ? [] : [licence]),
  ]
}

/** "135M", "1.7B". */
export function formatParameters(count: number): string {
  if (count < 999.5e3) return `${Math.round(count / 1e3)}k`
  return count < 999.5e6 ? `${Math.round(count / 1e6)}M` : `${(count / 1e9).toFixed(1)}B`
}
