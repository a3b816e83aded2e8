import { isGone, loadModel, model } from '../state/model.ts'
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
