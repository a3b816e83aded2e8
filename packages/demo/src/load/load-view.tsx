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
} from '../state/model.ts'
import { sheet } from '../state/page.ts'
import { phaseWords, progressFacts } from './progress.ts'
import { WebGpuHelp } from './webgpu-help.tsx'
import './load.css'

/** Everything between opening the page and a model that answers. */
export function LoadView() {
  const state = model.value
  return (
    <section class="load" aria-label="Model">
      {state.kind === 'checking' && <p class="soft">Looking for models on this device…</p>}
      {state.kind === 'absent' && <Offer kept={state.kept} />}
      {state.kind === 'loading' && <Loading progress={state.progress} />}
      {state.kind === 'failed' && <Failed state={state} />}
    </section>
  )
}

function Offer({ kept }: { readonly kept: LoadProgress | undefined }) {
  const wanted = reference.value
  const entry = catalogue.value.find((candidate) => candidate.id === wanted)
  const name = referenceName(wanted)
  const partial = kept?.phase === 'download' && kept.loadedBytes > 0
  return (
    <>
      <h1>A language model in this page</h1>
      <p>
        {partial
          ? `Stopped at ${formatBytesOf(kept.loadedBytes, kept.totalBytes)}. What arrived is kept, and the load goes on from there.`
          : `${name} is fetched once${entry === undefined ? '' : `, ${formatBytes(entry.sizeBytes)}`}, kept on this device, and then runs here.`}
        <br />
        Nothing you type leaves the device.
      </p>
      <div class="load-acts">
        <button type="button" class="button" onClick={() => loadModel(wanted)}>
          {partial
            ? 'Go on loading'
            : entry === undefined
              ? 'Load model'
              : `Load model, ${formatBytes(entry.sizeBytes)}`}
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
          value={progress?.loadedBytes ?? 0}
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
        <button type="button" class="quiet" onClick={() => (sheet.value = 'models')}>
          Other models
        </button>
      </div>
    </>
  )
}
