import type { LoadProgress } from '../protocol.ts'

type Phase = LoadProgress['phase']

const phases: readonly Phase[] = ['wait', 'download', 'verify', 'upload', 'compile', 'ready']

export interface LoadProgressReporter {
  /** What storage says. Shards are verified as they are read for the upload: that is then the phase, not this. */
  fromStorage(progress: LoadProgress): void
  enter(phase: Phase): void
  uploaded(loadedBytes: number): void
}

/** A backend may report every tensor; a person sees no more than this. */
const intervalMs = 100

/** Puts the progress of a load's parts into one line of phases that never goes back. */
export function createLoadProgress(
  totalBytes: () => number,
  onProgress: (progress: LoadProgress) => void,
): LoadProgressReporter {
  let phase: Phase = 'wait'
  let downloaded = false
  let cachedBytes = 0
  let phaseStart = performance.now()
  let reportedAt = Number.NEGATIVE_INFINITY

  const report = (loadedBytes: number) => {
    const total = totalBytes()
    const seconds = (performance.now() - phaseStart) / 1000
    const bytesPerSecond = loadedBytes > 0 && seconds > 0 ? loadedBytes / seconds : undefined
    // Only bytes that move have a speed; compiling takes what it takes.
    reportedAt = performance.now()
    const isMeasured = phase === 'upload' && bytesPerSecond !== undefined
    const speed = isMeasured
      ? { bytesPerSecond, secondsLeft: Math.max(0, total - loadedBytes) / bytesPerSecond }
      : {}
    onProgress({
      phase,
      loadedBytes,
      totalBytes: total,
      cachedBytes: downloaded ? cachedBytes : total,
      ...speed,
    })
  }

  return {
    fromStorage(progress) {
      if (phases.indexOf(progress.phase) < phases.indexOf(phase)) return
      phase = progress.phase
      if (phase === 'download') {
        downloaded = true
        cachedBytes = progress.cachedBytes
      }
      onProgress({ ...progress, cachedBytes: downloaded ? cachedBytes : progress.totalBytes })
    },
    enter(next) {
      phase = next
      phaseStart = performance.now()
      report(next === 'upload' ? 0 : totalBytes())
    },
    uploaded(loadedBytes) {
      if (performance.now() - reportedAt >= intervalMs) report(loadedBytes)
    },
  }
}
