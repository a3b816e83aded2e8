import { Bar } from '../controls/bar.tsx'
import { cancelLoad, loadModel, type ModelState, model, reference, referenceName } from '../state/model.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { diagnose } from './failure.ts'
import { FailureActs } from './failure-acts.tsx'
import { knownBytes, phaseWord, progressFacts } from './progress.ts'
import { WebGpuHelp } from './webgpu-help.tsx'
import './load.css'

/** The model's state in one line, for a chat that already has something in it. */
export function LoadStrip() {
  const { load } = words.value
  const state = model.value
  if (state.kind === 'ready' || state.kind === 'checking') return null
  if (state.kind === 'failed') return <FailedStrip state={state} />
  const name = referenceName(reference.value)
  if (state.kind === 'absent') {
    return (
      <div class="notice load-strip">
        <p>{load.notLoaded(name)}</p>
        <button type="button" class="quiet" onClick={() => loadModel(reference.value)}>
          {load.load}
        </button>
      </div>
    )
  }
  const { progress } = state
  const phase = progress === undefined ? load.starting : phaseWord(progress.phase)
  const said = [phase, ...(progress === undefined ? [] : progressFacts(progress))].join(' · ')
  return (
    <div class="notice load-strip figures">
      <p>{progress?.phase === 'wait' ? load.waiting(name) : said}</p>
      <button type="button" class="quiet" onClick={cancelLoad}>
        {load.cancel}
      </button>
      <div class="load-strip-bar">
        <Bar label={load.loading} value={knownBytes(progress)} max={progress?.totalBytes ?? 1} text={said} />
      </div>
    </div>
  )
}

function FailedStrip({ state }: { readonly state: ModelState & { readonly kind: 'failed' } }) {
  const { title, sentence, acts } = diagnose(state, reference.value)
  return (
    <div class="notice load-strip" role="alert" data-code={state.code}>
      <p>
        <b>{title}.</b> {sentence !== undefined && `${sentence} `}
        <span class={sentence === undefined ? undefined : 'soft'}>{engineWords(state.message)}</span>
      </p>
      <FailureActs acts={acts} />
      {state.code === 'webgpu_unavailable' && <WebGpuHelp />}
    </div>
  )
}
