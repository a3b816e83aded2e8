import type { LoadProgress } from '@brasa/runtime'
import { formatBytes, formatBytesOf } from '../format/units.ts'
import { words } from '../words/words.ts'

/** What the engine is doing, in words for a person. */
export function phaseWord(phase: LoadProgress['phase']): string {
  return words.value.load.phases[phase]
}

/** Bytes of bytes, speed, and what was here before, as far as they mean something in this phase. */
export function progressFacts(progress: LoadProgress): readonly string[] {
  const { phase, loadedBytes, totalBytes, bytesPerSecond, cachedBytes } = progress
  if (phase === 'compile' || phase === 'ready' || totalBytes === 0) return []
  return [
    formatBytesOf(loadedBytes, totalBytes),
    ...(phase === 'download' && bytesPerSecond !== undefined ? [`${formatBytes(bytesPerSecond)}/s`] : []),
    ...(phase === 'download' && cachedBytes > 0 ? [words.value.load.wereHere(formatBytes(cachedBytes))] : []),
    ...(phase !== 'download' ? [words.value.load.fromThisDevice] : []),
  ]
}

/** How far this phase is, where that can be known: compiling takes what it takes. */
export function knownBytes(progress: LoadProgress | undefined): number | undefined {
  return progress === undefined || progress.phase === 'compile' ? undefined : progress.loadedBytes
}

/** The whole load as one short text for the header. */
export function progressSummary(progress: LoadProgress | undefined): string {
  if (progress?.phase !== 'download' || progress.totalBytes === 0) return words.value.load.loading
  return words.value.load.loadingPercent(Math.floor((100 * progress.loadedBytes) / progress.totalBytes))
}
