import type { LoadProgress } from '@brasa/runtime'
import { Bar } from '../controls/bar.tsx'
import { formatWait } from '../format/units.ts'
import { knownBytes, progressFacts } from '../load/progress.ts'

const phaseWords: Readonly<Record<LoadProgress['phase'], string>> = {
  wait: 'Waiting for another tab',
  download: 'Fetching',
  verify: 'Checking the file',
  upload: 'Reading the file',
  compile: 'Preparing the model',
  ready: 'Ready',
}

interface OnnxProgressProps {
  readonly name: string
  readonly progress: LoadProgress | undefined
  readonly onCancel: () => void
}

/** How far an ONNX model is on its way here. */
export function OnnxProgress({ name, progress, onCancel }: OnnxProgressProps) {
  const phase = progress === undefined ? 'Starting' : phaseWords[progress.phase]
  const facts = progress === undefined ? [] : progressFacts(progress)
  return (
    <div class="onnx-progress figures">
      <p class="onnx-row">
        <span>{`${phase} · ${name}`}</span>
        {progress?.secondsLeft !== undefined && progress.phase === 'download' && (
          <span>{`About ${formatWait(progress.secondsLeft)} left`}</span>
        )}
      </p>
      <Bar
        label={`Loading ${name}`}
        value={knownBytes(progress)}
        max={progress?.totalBytes ?? 1}
        text={[phase, ...facts].join(', ')}
      />
      <div class="onnx-row">
        <span class="small soft">{['What has arrived is kept.', ...facts].reverse().join(' · ')}</span>
        <button type="button" class="quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </div>
  )
}
