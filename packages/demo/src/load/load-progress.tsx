import type { LoadProgress } from '@brasa/runtime'
import { Bar } from '../controls/bar.tsx'
import { formatWait } from '../format/units.ts'
import { cancelLoad } from '../state/model.ts'
import { words } from '../words/words.ts'
import { knownBytes, phaseWord, progressFacts } from './progress.ts'

interface LoadProgressProps {
  readonly name: string
  readonly progress: LoadProgress | undefined
}

/** How far a load is: what is being done, how long it will take, bytes of bytes, and Cancel, which keeps what is here. */
export function LoadProgressView({ name, progress }: LoadProgressProps) {
  const { starting, loading, left, waiting, cancel, kept } = words.value.load
  const phase = progress === undefined ? starting : phaseWord(progress.phase)
  const facts = progress === undefined ? [] : progressFacts(progress)
  return (
    <>
      <div class="load-progress figures">
        <p class="load-phase">
          <span>{phase}</span>
          {progress?.secondsLeft !== undefined && progress.phase === 'download' && (
            <span>{left(formatWait(progress.secondsLeft))}</span>
          )}
        </p>
        <Bar
          label={loading}
          value={knownBytes(progress)}
          max={progress?.totalBytes ?? 1}
          text={[phase, ...facts].join(', ')}
        />
        <p class="small soft">
          {progress?.phase === 'wait' ? waiting(name) : facts.length === 0 ? '\u00a0' : facts.join(' · ')}
        </p>
      </div>
      <div class="load-acts">
        <button type="button" class="quiet" onClick={cancelLoad}>
          {cancel}
        </button>
        <span class="small soft">{kept}</span>
      </div>
    </>
  )
}
