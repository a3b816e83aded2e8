import { Ember } from '../controls/icon.tsx'
import { formatBytes, formatBytesOf } from '../format/units.ts'
import {
  catalogue,
  loadModel,
  type ModelState,
  model,
  reference,
  referenceName,
  storedModel,
} from '../state/model.ts'
import { showView } from '../state/page.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { diagnose } from './failure.ts'
import { FailureActs } from './failure-acts.tsx'
import { LoadProgressView } from './load-progress.tsx'
import { WebGpuHelp } from './webgpu-help.tsx'
import './load.css'

/** Everything between opening the page and a model that answers. */
export function LoadView() {
  const state = model.value
  return (
    <section class="load" aria-label={words.value.load.model}>
      <Ember />
      {state.kind === 'checking' && <p class="soft">{words.value.load.looking}</p>}
      {state.kind === 'absent' && <Offer />}
      {state.kind === 'loading' && (
        <>
          <h1>{referenceName(reference.value)}</h1>
          <LoadProgressView name={referenceName(reference.value)} progress={state.progress} />
        </>
      )}
      {state.kind === 'failed' && <Failed state={state} />}
    </section>
  )
}

function Offer() {
  const { load } = words.value
  const wanted = reference.value
  const name = referenceName(wanted)
  const kept = storedModel(wanted)
  const size = catalogue.value.find((entry) => entry.id === wanted)?.sizeBytes ?? kept?.totalBytes
  const part = kept === undefined || kept.isComplete || kept.sizeBytes === 0 ? undefined : kept.sizeBytes
  return (
    <>
      <h1>{load.heading}</h1>
      <p>
        {part === undefined
          ? load.fetchedOnce(name, size === undefined ? undefined : formatBytes(size))
          : load.partHere(size === undefined ? formatBytes(part) : formatBytesOf(part, size), name)}
        <br />
        {load.staysHere}
      </p>
      <div class="load-acts">
        <button type="button" class="button" onClick={() => loadModel(wanted)}>
          {part === undefined ? load.load : load.goOn}
        </button>
        <button type="button" class="quiet" onClick={() => showView('models')}>
          {load.otherModels}
        </button>
      </div>
    </>
  )
}

function Failed({ state }: { readonly state: ModelState & { readonly kind: 'failed' } }) {
  const { title, sentence, acts } = diagnose(state, reference.value)
  return (
    <>
      <h1>{title}</h1>
      <div class="load-why" role="alert" data-code={state.code}>
        {sentence !== undefined && <p>{sentence}</p>}
        <p class={sentence === undefined ? undefined : 'small soft'}>{engineWords(state.message)}</p>
      </div>
      {state.code === 'webgpu_unavailable' && <WebGpuHelp />}
      <div class="load-acts">
        <FailureActs acts={acts} />
      </div>
    </>
  )
}
