import { Bar } from '../controls/bar.tsx'
import { cancelLoad, loadModel, model, reference, referenceName, runOn } from '../state/model.ts'
import { knownBytes, phaseWords, progressFacts } from './progress.ts'
import { WebGpuHelp } from './webgpu-help.tsx'

/** The model's state in one line, for a chat that already has something in it. */
export function LoadStrip() {
  const state = model.value
  if (state.kind === 'ready' || state.kind === 'checking') return null
  if (state.kind === 'loading') {
    const { progress } = state
    const phase = progress === undefined ? 'Starting' : phaseWords[progress.phase]
    const words = [phase, ...(progress === undefined ? [] : progressFacts(progress))].join(' · ')
    return (
      <div class="notice load-strip figures">
        <p>{words}</p>
        <button type="button" class="quiet" onClick={cancelLoad}>
          Cancel
        </button>
        <div style={{ flexBasis: '100%', paddingRight: '8px' }}>
          <Bar
            label="Loading the model"
            value={knownBytes(progress)}
            max={progress?.totalBytes ?? 1}
            text={words}
          />
        </div>
      </div>
    )
  }
  return (
    <div
      class="notice load-strip"
      {...(state.kind === 'failed' ? { role: 'alert', 'data-code': state.code } : {})}
    >
      <p>{state.kind === 'failed' ? state.message : `${referenceName(reference.value)} is not loaded.`}</p>
      <button type="button" class="quiet" onClick={() => loadModel(reference.value)}>
        {state.kind === 'failed' ? 'Try again' : 'Load model'}
      </button>
      {state.kind === 'failed' && state.code === 'webgpu_unavailable' && (
        <>
          <button type="button" class="quiet" onClick={() => runOn('wasm')}>
            Run on the CPU
          </button>
          <WebGpuHelp />
        </>
      )}
    </div>
  )
}
