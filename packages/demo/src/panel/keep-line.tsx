import { canInstall, install } from '../offline/install.ts'
import { askToKeep, room, wasDenied } from '../state/device-storage.ts'
import { warnings } from '../state/model.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'

/** That the browser may clear what is kept, and what helps: asking it, or installing the page. */
export function KeepLine() {
  const warning = warnings.value.find(({ code }) => code === 'persist_denied')
  if (warning === undefined || room.value.isPersisted === true) return null
  const { models, offline } = words.value
  return (
    <div class="panel-keep" data-code="persist_denied">
      <p class="soft" role="status">
        {wasDenied.value ? models.keepDenied : engineWords(warning.message)}
      </p>
      <div class="panel-acts">
        <button type="button" class="quiet" onClick={askToKeep}>
          {models.askToKeep}
        </button>
        {canInstall() && (
          <button type="button" class="quiet" title={offline.installTitle} onClick={install}>
            {offline.install}
          </button>
        )}
      </div>
    </div>
  )
}
