import { Bar } from '../controls/bar.tsx'
import { cancelLoad, loadModel, model, reference, referenceName, runOn } from '../state/model.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { knownBytes, phaseWord, progressFacts } from './progress.ts'
import { WebGpuHelp } from './webgpu-help.tsx'

/** The model's state in one line, for a chat that already has something in it. */
export function LoadStrip() {
  const state = model.value
  const { load, controls } = words.value
  if (state.kind === 'ready' || state.kind === 'checking') return null
  if (state.kind === 'loading') {
    const { progress } = state
    const phase = progress === undefined ? load.starting : phaseWord(progress.phase)
    const facts = [phase, ...(progress === undefined ? [] : progressFacts(progress))].join(' · ')
    return (
      <div class="notice load-strip figures">
        <p>{facts}</p>
        <button type="button" class="quiet" onClick={cancelLoad}>
          {controls.cancel}
        </button>
        <div class="load-strip-bar">
          <Bar
            label={load.loadingTheModel}
            value={knownBytes(progress)}
            max={progress?.totalBytes ?? 1}
            text={facts}
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
      <p>
        {state.kind === 'failed'
          ? engineWords(state.message)
          : load.isNotLoaded(referenceName(reference.value))}
      </p>
      <button type="button" class="quiet" onClick={() => loadModel(reference.value)}>
        {state.kind === 'failed' ? controls.tryAgain : load.loadModel}
      </button>
      {state.kind === 'failed' && state.code === 'webgpu_unavailable' && (
        <>
          <button type="button" class="quiet" onClick={() => runOn('wasm')}>
            {load.runOnCpu}
          </button>
          <WebGpuHelp />
        </>
      )}
    </div>
  )
}
