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
import { knownBytes, phaseWords, progressFacts } from './progress.ts'
import { WebGpuHelp } from './webgpu-help.tsx'
import './load.css'

/** Everything between opening the page and a model that answers. */
export function LoadView() {
  const state = model.value
  return (
    <section class="load" aria-label="Model">
      {state.kind === 'checking' && <p class="soft">Looking for models on this device…</p>}
      {state.kind === 'absent' && <Offer />}
      {state.kind === 'loading' && <Loading progress={state.progress} />}
      {state.kind === 'failed' && <Failed state={state} />}
    </section>
  )
}

function Offer() {
  const wanted = reference.value
  const name = referenceName(wanted)
  const kept = storedModel(wanted)
  const size = catalogue.value.find((entry) => entry.id === wanted)?.sizeBytes
  const partial = kept !== undefined && !kept.isComplete && kept.sizeBytes > 0
  return (
    <>
      <h1>A language model in this page</h1>
      <p>
        {partial &&
          size !== undefined &&
          `${formatBytesOf(kept.sizeBytes, size)} of ${name} are here; the rest is fetched.`}
        {partial &&
          size === undefined &&
          `${formatBytes(kept.sizeBytes)} of ${name} are here; the rest is fetched.`}
        {!partial &&
          `${name}${size === undefined ? '' : ` (${formatBytes(size)})`} is fetched once, kept here, and runs in this page.`}
        <br />
        Nothing you type leaves the device.
      </p>
      <div class="load-acts">
        <button type="button" class="button" onClick={() => loadModel(wanted)}>
          {partial ? 'Go on loading' : 'Load model'}
        </button>
        <button type="button" class="quiet" onClick={() => (sheet.value = 'models')}>
          Other models
        </button>
      </div>
    </>
  )
}

function Loading({ progress }: { readonly progress: LoadProgress | undefined }) {
  const phase = progress === undefined ? 'Starting' : phaseWords[progress.phase]
  const facts = progress === undefined ? [] : progressFacts(progress)
  return (
    <>
      <h1>{referenceName(reference.value)}</h1>
      <div class="load-progress figures">
        <p class="load-phase">
          <span>{phase}</span>
          {progress?.secondsLeft !== undefined && progress.phase === 'download' && (
            <span>{`About ${formatWait(progress.secondsLeft)} left`}</span>
          )}
        </p>
        <Bar
          label="Loading the model"
          value={knownBytes(progress)}
          max={progress?.totalBytes ?? 1}
          text={[phase, ...facts].join(', ')}
        />
        <p class="small soft">{facts.length === 0 ? '\u00a0' : facts.join(' · ')}</p>
      </div>
      <div class="load-acts">
        <button type="button" class="quiet" onClick={cancelLoad}>
          Cancel
        </button>
        <span class="small soft">What has arrived is kept.</span>
      </div>
    </>
  )
}

function Failed({ state }: { readonly state: ModelState & { readonly kind: 'failed' } }) {
  const noGpu = state.code === 'webgpu_unavailable'
  return (
    <>
      <h1>{noGpu ? 'This browser does not offer WebGPU' : 'The model could not be loaded'}</h1>
      <p role="alert" data-code={state.code}>
        {state.message}
      </p>
      {noGpu && <WebGpuHelp />}
      <div class="load-acts">
        <button type="button" class="button" onClick={() => loadModel(reference.value)}>
          Try again
        </button>
        {noGpu && (
          <button type="button" class="quiet" onClick={() => runOn('wasm')}>
            Run on the CPU
          </button>
        )}
        <button type="button" class="quiet" onClick={() => (sheet.value = 'models')}>
          Other models
        </button>
      </div>
    </>
  )
}
