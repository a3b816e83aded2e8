import { formatBytes } from '../format/units.ts'
import { askToKeep, freeBytes, room, wasDenied } from '../state/device-storage.ts'
import { isOnlyInMemory, storedModels } from '../state/model.ts'
import { words } from '../words/words.ts'

/** What storage holds, how much there is of it, and whether the browser promised to keep it. */
export function StorageView() {
  const { models } = words.value
  const { usageBytes, quotaBytes, isPersisted } = room.value
  return (
    <section class="storage" aria-label={models.storage}>
      <h2>{models.storage}</h2>
      {usageBytes === undefined || quotaBytes === undefined ? (
        <p class="small soft">{isOnlyInMemory.value ? models.noStorage : models.storageUnknown}</p>
      ) : (
        <Shares usageBytes={usageBytes} quotaBytes={quotaBytes} />
      )}
      {isPersisted !== undefined && (
        <div class="storage-promise">
          <p class="small soft">{isPersisted ? models.persisted : models.notPersisted}</p>
          {!isPersisted && (
            <button type="button" class="quiet" onClick={askToKeep}>
              {models.askToKeep}
            </button>
          )}
        </div>
      )}
      {wasDenied.value && isPersisted === false && (
        <p class="small" role="status">
          {models.keepDenied}
        </p>
      )}
    </section>
  )
}

function Shares({ usageBytes, quotaBytes }: { readonly usageBytes: number; readonly quotaBytes: number }) {
  const { models } = words.value
  // Models that share parts count them twice; what the browser counts is right.
  const modelBytes = Math.min(
    usageBytes,
    storedModels.value.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  )
  const shares = [
    { word: models.title, bytes: modelBytes, kind: 'models' },
    { word: models.other, bytes: usageBytes - modelBytes, kind: 'rest' },
    { word: models.free, bytes: freeBytes.value ?? 0, kind: 'free' },
  ]
  const text = models.storageUsed(formatBytes(usageBytes), formatBytes(quotaBytes))
  return (
    <>
      <div class="storage-bar" role="img" aria-label={text}>
        {shares.slice(0, 2).map(({ kind, bytes }) => (
          <i key={kind} class={`storage-${kind}`} style={{ width: `${(100 * bytes) / quotaBytes}%` }} />
        ))}
      </div>
      <p class="small figures">{text}</p>
      <ul class="storage-key small soft figures">
        {shares.map(({ word, bytes, kind }) => (
          <li key={kind}>
            <i class={`storage-${kind}`} />
            {`${word} ${formatBytes(bytes)}`}
          </li>
        ))}
      </ul>
    </>
  )
}
