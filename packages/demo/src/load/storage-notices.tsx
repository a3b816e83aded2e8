import { useSignal } from '@preact/signals'
import { hasDatabase } from '../state/device-storage.ts'
import { dismissWarning, isGone, loadModel, model, reference } from '../state/model.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'

/** That the model which answers is no longer kept: someone, or the browser, emptied the storage under the page. */
export function GoneNotice() {
  const state = model.value
  if (!isGone.value || state.kind !== 'ready') return null
  const { id, name } = state.engine.model
  return (
    <div class="notice" role="status" data-code="model_gone">
      <p>{words.value.load.deleted(name)}</p>
      <button type="button" class="quiet" onClick={() => loadModel(id)}>
        {words.value.load.keepAgain}
      </button>
    </div>
  )
}

/** That nothing can be kept, as in some private windows. Trying again costs nothing unless it works: then the model is fetched once more. */
export function NoStorageNotice({ message }: { readonly message: string }) {
  const { load, composer, controls } = words.value
  const hasFailedAgain = useSignal(false)
  const tryAgain = async () => {
    hasFailedAgain.value = false
    if (await hasDatabase()) void loadModel(reference.value)
    else hasFailedAgain.value = true
  }
  return (
    <div class="notice" role="status" data-code="storage_unavailable">
      <p>
        {engineWords(message)} {hasFailedAgain.value ? load.stillNoStorage : load.whereStorage}
      </p>
      <button type="button" class="quiet" onClick={tryAgain}>
        {controls.tryAgain}
      </button>
      <button type="button" class="quiet" onClick={() => dismissWarning('storage_unavailable')}>
        {composer.understood}
      </button>
    </div>
  )
}
