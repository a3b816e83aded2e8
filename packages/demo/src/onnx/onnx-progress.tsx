import type { LoadProgress } from '@brasa/runtime'
import { Bar } from '../controls/bar.tsx'
import { formatWait } from '../format/units.ts'
import { knownBytes, progressFacts } from '../load/progress.ts'
import { words } from '../words/words.ts'

interface OnnxProgressProps {
  readonly name: string
  readonly progress: LoadProgress | undefined
  readonly onCancel: () => void
}

/** How far an ONNX model is on its way here. */
export function OnnxProgress({ name, progress, onCancel }: OnnxProgressProps) {
  const say = words.value.onnxPage
  const phase = progress === undefined ? say.starting : say.phases[progress.phase]
  const facts = progress === undefined ? [] : progressFacts(progress)
  return (
    <div class="onnx-progress figures">
      <p class="onnx-row">
        <span>{`${phase} · ${name}`}</span>
        {progress?.secondsLeft !== undefined && progress.phase === 'download' && (
          <span>{say.timeLeft(formatWait(progress.secondsLeft))}</span>
        )}
      </p>
      <Bar
        label={say.loadingModel(name)}
        value={knownBytes(progress)}
        max={progress?.totalBytes ?? 1}
        text={[phase, ...facts].join(', ')}
      />
      <div class="onnx-row">
        <span class="small soft">{[say.arrivedIsKept, ...facts].reverse().join(' · ')}</span>
        <button type="button" class="quiet" onClick={onCancel}>
          {say.cancel}
        </button>
      </div>
    </div>
  )
}
