import { formatBytes } from '../format/units.ts'
import { model } from '../state/model.ts'
import { sheet, showView } from '../state/page.ts'
import { words } from '../words/words.ts'
import { FileButton } from './file-button.tsx'
import { currentId, modelsHere } from './listed.ts'
import { openOnnx, take } from './use-model.ts'
import './models.css'

/** The models on this device, to change quickly to another one; the page has the rest. */
export function Models() {
  const { models } = words.value
  const here = modelsHere()
  const use = (id: string) => {
    showView('chat')
    take(id)
  }
  return (
    <div class="models">
      <section aria-label={models.here}>
        <h3>{models.here}</h3>
        {here.length === 0 && <p class="soft">{models.noneHere}</p>}
        <ul>
          {here.map(({ id, name, isOnnx, stored }) => (
            <li key={id}>
              <span class="models-name">{name}</span>
              <span class="soft figures">
                {stored?.isComplete
                  ? formatBytes(stored.sizeBytes)
                  : models.partHere(formatBytes(stored?.sizeBytes ?? 0))}
              </span>
              {currentId() === id && (model.value.kind === 'ready' || model.value.kind === 'loading') ? (
                <span class="models-note soft">{models.inUse}</span>
              ) : (
                <button
                  type="button"
                  class="quiet"
                  onClick={() => (isOnnx ? openOnnx(id) : use(id))}
                  aria-label={
                    isOnnx
                      ? models.openIt(name)
                      : stored?.isComplete
                        ? models.useIt(name)
                        : models.goOnLoading(name)
                  }
                >
                  {isOnnx ? models.open : stored?.isComplete ? models.use : models.goOn}
                </button>
              )}
            </li>
          ))}
        </ul>
      </section>
      <div class="models-more">
        <button
          type="button"
          class="button"
          onClick={() => {
            sheet.value = undefined
            showView('models')
          }}
        >
          {models.all}
        </button>
        <FileButton
          kind="quiet"
          word={models.openFile}
          onChosen={() => {
            sheet.value = undefined
            showView('chat')
          }}
        />
      </div>
    </div>
  )
}
