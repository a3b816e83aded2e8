import type { LoadProgress } from '@brasa/runtime'
import { Bar } from '../controls/bar.tsx'
import { formatBytes, formatBytesOf, formatWait } from '../format/units.ts'
import {
  cancelLoad,
  catalogue,
  loadModel,
  type ModelState,
  model,
  reference,
  referenceName,
  runOn,
  storedModel,
} from '../state/model.ts'
import { sheet } from '../state/page.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { knownBytes, phaseWord, progressFacts } from './progress.ts'
import { WebGpuHelp } from './webgpu-help.tsx'
import './load.css'

/** Everything between opening the page and a model that answers. */
export function LoadView() {
  const state = model.value
  return (
    <section class="load" aria-label={words.value.load.model}>
      {state.kind === 'checking' && <p class="soft">{words.value.load.looking}</p>}
      {state.kind === 'absent' && <Offer />}
      {state.kind === 'loading' && <Loading progress={state.progress} />}
      {state.kind === 'failed' && <Failed state={state} />}
    </section>
  )
}

function Offer() {
  const { load } = words.value
  const wanted = reference.value
  const name = referenceName(wanted)
  const kept = storedModel(wanted)
  const size = catalogue.value.find((entry) => entry.id === wanted)?.sizeBytes
  const partial = kept !== undefined && !kept.isComplete && kept.sizeBytes > 0
  return (
    <>
      <h1>{load.title}</h1>
      <p>
        {partial
          ? load.partlyHere(
              size === undefined ? formatBytes(kept.sizeBytes) : formatBytesOf(kept.sizeBytes, size),
              name,
            )
          : load.isFetchedOnce(size === undefined ? name : `${name} (${formatBytes(size)})`)}
        <br />
        {load.nothingLeaves}
      </p>
      <div class="load-acts">
        <button type="button" class="button" onClick={() => loadModel(wanted)}>
          {partial ? load.goOn : load.loadModel}
        </button>
        <button type="button" class="quiet" onClick={() => (sheet.value = 'models')}>
          {load.otherModels}
        </button>
      </div>
    </>
  )
}

function Loading({ progress }: { readonly progress: LoadProgress | undefined }) {
  const { load, controls } = words.value
  const phase = progress === undefined ? load.starting : phaseWord(progress.phase)
  const facts = progress === undefined ? [] : progressFacts(progress)
  return (
    <>
      <h1>{referenceName(reference.value)}</h1>
      <div class="load-progress figures">
        <p class="load-phase">
          <span>{phase}</span>
          {progress?.secondsLeft !== undefined && progress.phase === 'download' && (
            <span>{load.aboutLeft(formatWait(progress.secondsLeft))}</span>
          )}
        </p>
        <Bar
          label={load.loadingTheModel}
          value={knownBytes(progress)}
          max={progress?.totalBytes ?? 1}
          text={[phase, ...facts].join(', ')}
        />
        <p class="small soft">{facts.length === 0 ? '\u00a0' : facts.join(' · ')}</p>
      </div>
      <div class="load-acts">
        <button type="button" class="quiet" onClick={cancelLoad}>
          {controls.cancel}
        </button>
        <span class="small soft">{load.isKept}</span>
      </div>
    </>
  )
}

function Failed({ state }: { readonly state: ModelState & { readonly kind: 'failed' } }) {
  const { load, controls } = words.value
  const noGpu = state.code === 'webgpu_unavailable'
  return (
    <>
      <h1>{noGpu ? load.noWebGpu : load.failed}</h1>
      <p role="alert" data-code={state.code}>
        {engineWords(state.message)}
      </p>
      {noGpu && <WebGpuHelp />}
      <div class="load-acts">
        <button type="button" class="button" onClick={() => loadModel(reference.value)}>
          {controls.tryAgain}
        </button>
        {noGpu && (
          <button type="button" class="quiet" onClick={() => runOn('wasm')}>
            {load.runOnCpu}
          </button>
        )}
        <button type="button" class="quiet" onClick={() => (sheet.value = 'models')}>
          {load.otherModels}
        </button>
      </div>
    </>
  )
}
