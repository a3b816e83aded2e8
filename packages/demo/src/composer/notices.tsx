import type { EngineWarning } from '@brasa/runtime'
import { KeepNotice } from '../chats/keep-notice.tsx'
import { formatCount } from '../format/units.ts'
import { GoneNotice, NoStorageNotice } from '../load/storage-notices.tsx'
import { currentChat, startChat } from '../state/chats.ts'
import { contextTokens } from '../state/conversation.ts'
import { dismissWarning, model, warnings } from '../state/model.ts'
import { showView } from '../state/page.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'

/** From here on a long answer may no longer fit. */
const nearlyFull = 0.85

/** That the browser may drop the model one day can wait: the side panel says it. */
function isUrgent({ code }: EngineWarning): boolean {
  return code !== 'persist_denied'
}

/** What the person can do something about where models are removed and pinned. */
function needsRoom(code: EngineWarning['code']): boolean {
  return code === 'quota_exceeded' || code === 'model_evicted'
}

/** What the person should know before the next question. */
export function Notices() {
  const { composer: said } = words.value
  const state = model.value
  const used = contextTokens(currentChat.value)
  const holds = state.kind === 'ready' ? state.engine.model.contextLength : undefined
  return (
    <>
      <KeepNotice />
      {warnings.value.filter(isUrgent).map(({ code, message }) =>
        code === 'storage_unavailable' ? (
          <NoStorageNotice key={code} message={message} />
        ) : (
          <div key={code} class="notice" role="status" data-code={code}>
            <p>{engineWords(message)}</p>
            {needsRoom(code) && (
              <button type="button" class="quiet" onClick={() => showView('models')}>
                {words.value.load.seeStorage}
              </button>
            )}
            <button type="button" class="quiet" onClick={() => dismissWarning(code)}>
              {said.understood}
            </button>
          </div>
        ),
      )}
      <GoneNotice />
      {holds !== undefined && used > nearlyFull * holds && (
        <div class="notice" role="status" data-code="context_nearly_full">
          <p class="figures">{said.nearlyFull(formatCount(used), formatCount(holds))}</p>
          <button type="button" class="quiet" onClick={startChat}>
            {said.newChat}
          </button>
        </div>
      )}
    </>
  )
}
