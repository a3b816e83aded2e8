import { model, storedModels } from '../state/model.ts'
import { words } from '../words/words.ts'
import { isOffline } from './connection.ts'
import { isolateNow, wantsIsolation } from './isolation.ts'
import { takeUpdate, update } from './registration.ts'
import './notices.css'

/** Above everything, in every part of the page: no network, a new version, more speed after a reload. Nothing acts by itself. */
export function PageNotices() {
  return (
    <div class="page-notices" role="status">
      <OfflineNotice />
      <UpdateNotice />
      <IsolationNotice />
    </div>
  )
}

function OfflineNotice() {
  if (!isOffline.value) return null
  const { offline } = words.value
  const hasModel = model.value.kind === 'ready' || storedModels.value.some(({ isComplete }) => isComplete)
  return (
    <div class="page-notice" data-code="offline">
      <span class="chip">
        <i class="dot" />
        {offline.offline}
      </span>
      <p>{hasModel ? offline.whatWorks : offline.needsModel}</p>
    </div>
  )
}

function UpdateNotice() {
  const { offline } = words.value
  const state = update.value
  if (state === 'none') return null
  return (
    <div class="page-notice" data-code="update">
      <p>{state === 'wanted' ? offline.reloadsSoon : offline.newVersion}</p>
      {state !== 'wanted' && (
        <button type="button" class="quiet" onClick={takeUpdate}>
          {offline.reload}
        </button>
      )}
    </div>
  )
}

function IsolationNotice() {
  const { offline } = words.value
  if (!wantsIsolation.value) return null
  return (
    <div class="page-notice" data-code="isolation">
      <p>{offline.moreThreads}</p>
      <button type="button" class="quiet" onClick={isolateNow}>
        {offline.reload}
      </button>
      <button type="button" class="quiet" onClick={() => (wantsIsolation.value = false)}>
        {offline.notNow}
      </button>
    </div>
  )
}
