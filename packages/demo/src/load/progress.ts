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
  const { perSecond, cached, fromHere } = words.value.load
  return [
    formatBytesOf(loadedBytes, totalBytes),
    ...(phase === 'download' && bytesPerSecond !== undefined ? [perSecond(formatBytes(bytesPerSecond))] : []),
    ...(phase === 'download' && cachedBytes > 0 ? [cached(formatBytes(cachedBytes))] : []),
    ...(phase !== 'download' ? [fromHere] : []),
  ]
}

/** How far this phase is, where that can be known: compiling takes what it takes, and so does another tab. */
export function knownBytes(progress: LoadProgress | undefined): number | undefined {
  if (progress === undefined || progress.phase === 'compile' || progress.phase === 'wait') return undefined
  return progress.loadedBytes
}

/** The whole load as one short text for the header. */
export function progressSummary(progress: LoadProgress | undefined): string {
  const { summary, summaryPercent } = words.value.load
  if (progress?.phase !== 'download' || progress.totalBytes === 0) return summary
  return summaryPercent(Math.floor((100 * progress.loadedBytes) / progress.totalBytes))
}
