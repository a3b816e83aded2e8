import { chats, currentId } from '../state/chats.ts'
import { keeping, tryKeeping } from '../state/keeping.ts'
import { showView } from '../state/page.ts'
import { words } from '../words/words.ts'
import { exportAll } from './chat-files.ts'
import { deleteChats } from './moves.ts'

/** How many chats go at once to make room. */
const numOldest = 10

/** Says where the chats are if they are not in the store, and what helps. */
export function KeepNotice() {
  const said = words.value.chats
  const state = keeping.value
  if (state === 'opening' || state === 'kept') return null
  const oldest = chats.value.filter(({ id }) => id !== currentId.value).slice(-numOldest)
  return (
    <div class="notice" role="alert" data-code={`chats_${state}`}>
      <p>{{ missing: said.notKept, full: said.storeFull, newer: said.storeNewer }[state]}</p>
      {state === 'newer' && (
        <button type="button" class="button" onClick={() => location.reload()}>
          {said.reload}
        </button>
      )}
      {state === 'full' && (
        <>
          <button type="button" class="quiet" onClick={() => showView('models')}>
            {said.removeModels}
          </button>
          {oldest.length > 0 && (
            <button type="button" class="quiet" onClick={() => deleteChats(oldest.map(({ id }) => id))}>
              {said.deleteOldest(oldest.length)}
            </button>
          )}
        </>
      )}
      {state !== 'newer' && (
        <button type="button" class="quiet" onClick={() => void tryKeeping()}>
          {words.value.controls.tryAgain}
        </button>
      )}
      {chats.value.length > 0 && (
        <button type="button" class="quiet" onClick={exportAll}>
          {said.exportAll}
        </button>
      )}
    </div>
  )
}
