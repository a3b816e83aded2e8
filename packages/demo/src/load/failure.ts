import type { ModelReference } from '@brasa/runtime'
import { formatBytes } from '../format/units.ts'
import { largestWithin } from '../models/fit.ts'
import { isOffline } from '../offline/connection.ts'
import { catalogue, loadModel, type ModelState, referenceName, runOn, storedModels } from '../state/model.ts'
import { showView } from '../state/page.ts'
import { words } from '../words/words.ts'

/** Why a model is not here, and what can be done about it. */
export interface Diagnosis {
  readonly title: string
  /** Besides the runtime's own message. */
  readonly sentence?: string
  /** The first is the one that helps most. */
  readonly acts: readonly Act[]
}

export type Act =
  | { readonly word: string; readonly run: () => void }
  /** To be chosen by the person: no page may open a file by itself. */
  | { readonly word: string; readonly opensFile: true }

type Failure = ModelState & { readonly kind: 'failed' }

export function diagnose(failure: Failure, reference: ModelReference): Diagnosis {
  const { load } = words.value
  const name = referenceName(reference)
  const again: Act = { word: load.tryAgain, run: () => void loadModel(reference) }
  const others: Act = { word: load.otherModels, run: () => showView('models') }
  const isDamaged = failure.code === 'hash_mismatch' || failure.code === 'storage_unavailable'

  if (failure.code === 'webgpu_unavailable') {
    return {
      title: load.noWebGpu,
      acts: [again, { word: load.onCpu, run: () => void runOn('wasm') }, others],
    }
  }
  if (failure.code === 'out_of_memory') return tooLarge(failure, name, again, others)
  if (isFromFile(reference) && (isDamaged || failure.code === 'unknown_model')) {
    const title = failure.code === 'hash_mismatch' ? load.damaged(name) : load.gone(name)
    return { title, sentence: load.damagedFile, acts: [{ word: load.chooseFile, opensFile: true }, others] }
  }
  if (isOffline.value && isDamaged) {
    return {
      title: load.offline,
      sentence: load.offlineDamaged(name),
      acts: [again, ...takeStored(reference), others],
    }
  }
  if (isOffline.value && failure.code === 'network_error') {
    return {
      title: load.offline,
      sentence: load.offlineNotHere(name),
      acts: [again, ...takeStored(reference), others],
    }
  }
  if (failure.code === 'hash_mismatch') {
    const fetch = { word: load.fetchAgain, run: () => void loadModel(reference) }
    return { title: load.damaged(name), sentence: load.damagedFetch, acts: [fetch, others] }
  }
  if (failure.code === 'storage_unavailable') return { title: load.gone(name), acts: [again, others] }
  if (failure.code === 'network_error') {
    return { title: load.brokeOff, sentence: load.kept, acts: [again, others] }
  }
  return { title: load.failed, acts: [again, others] }
}

function tooLarge(failure: Failure, name: string, again: Act, others: Act): Diagnosis {
  const { load } = words.value
  // A gigabyte is what any device with a browser has.
  const { limitBytes = 1e9 } = failure
  const free = catalogue.value.filter(({ terms }) => terms === undefined)
  const instead = largestWithin(free, limitBytes)
  if (instead === undefined)
    return { title: load.tooLarge(name), sentence: load.nothingFits, acts: [others, again] }
  const take = { word: load.take(instead.name), run: () => void loadModel(instead.id) }
  const sentence = load.takeInstead(instead.name, formatBytes(instead.sizeBytes))
  return { title: load.tooLarge(name), sentence, acts: [take, others, again] }
}

/** Another model that needs no network. */
function takeStored(reference: ModelReference): readonly Act[] {
  const known = new Set(catalogue.value.map(({ id }) => id))
  const other = storedModels.value.find(
    ({ id, isComplete }) => isComplete && id !== reference && (known.has(id) || /\.gguf$/i.test(id)),
  )
  if (other === undefined) return []
  return [{ word: words.value.load.take(referenceName(other.id)), run: () => void loadModel(other.id) }]
}

const isFromFile = (reference: ModelReference) =>
  typeof reference === 'string'
    ? reference.startsWith('file:')
    : [reference].flat().some((part) => part instanceof File)
