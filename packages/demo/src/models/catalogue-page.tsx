import { useEffect } from 'preact/hooks'
import { diagnose } from '../load/failure.ts'
import { FailureActs } from '../load/failure-acts.tsx'
import { LoadProgressView } from '../load/load-progress.tsx'
import { lookThroughStored } from '../state/inspection.ts'
import { model, reference, referenceName, refreshStored } from '../state/model.ts'
import { showView } from '../state/page.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { currentId, isOnnx, modelsHere, modelsOnOffer } from './listed.ts'
import { ModelRow } from './model-row.tsx'
import { OwnModel } from './own-model.tsx'
import { StorageView } from './storage-view.tsx'
import './catalogue-page.css'

/** Every model there is: here, on offer, and what a person brings; and what they take of this device. */
export function CataloguePage() {
  const { models } = words.value
  useEffect(() => {
    const controller = new AbortController()
    void refreshStored().then(() => lookThroughStored((id) => !isOnnx(id), controller.signal))
    return () => controller.abort()
  }, [])
  const here = modelsHere()
  const offered = modelsOnOffer()
  return (
    <div class="page models-page">
      <div class="page-column">
        <header class="page-head">
          <h1 id="models-title" tabIndex={-1}>
            {models.title}
          </h1>
          <p>{models.lead}</p>
        </header>
        <Newcomer isListed={[...here, ...offered].some(({ id }) => id === currentId())} />
        <section aria-label={models.here}>
          <div class="section-head">
            <h2>{models.here}</h2>
            {here.some((listed) => !listed.isOnnx && listed.stored?.isComplete) && (
              <button type="button" class="word" onClick={() => showView('compare')}>
                {models.compare}
              </button>
            )}
          </div>
          {here.length === 0 && <p class="soft">{models.noneHere}</p>}
          <ul class="model-list">
            {here.map((listed) => (
              <ModelRow key={listed.id} listed={listed} />
            ))}
          </ul>
        </section>
        {offered.length > 0 && (
          <section aria-label={models.catalogue}>
            <h2>{models.catalogue}</h2>
            <ul class="model-list">
              {offered.map((listed) => (
                <ModelRow key={listed.id} listed={listed} />
              ))}
            </ul>
          </section>
        )}
        <OwnModel />
        <StorageView />
      </div>
    </div>
  )
}

/** A model on its way here for the first time has no line of its own yet. */
function Newcomer({ isListed }: { readonly isListed: boolean }) {
  const state = model.value
  if (isListed || (state.kind !== 'loading' && state.kind !== 'failed')) return null
  const name = referenceName(reference.value)
  if (state.kind === 'loading') {
    return (
      <section aria-label={name}>
        <h2>{name}</h2>
        <LoadProgressView name={name} progress={state.progress} />
      </section>
    )
  }
  const { title, sentence, acts } = diagnose(state, reference.value)
  return (
    <section class="notice" aria-label={name} role="alert" data-code={state.code}>
      <p>
        <b>{title}.</b> {sentence} <span class="soft">{engineWords(state.message)}</span>
      </p>
      <FailureActs acts={acts} />
    </section>
  )
}
