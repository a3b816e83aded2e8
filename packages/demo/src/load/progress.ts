import type { LoadProgress } from '@brasa/runtime'
import { formatBytes, formatBytesOf } from '../format/units.ts'

/** What the engine is doing, in words for a person. */
export const phaseWords: Readonly<Record<LoadProgress['phase'], string>> = {
  download: 'Fetching',
  verify: 'Checking the files',
  upload: 'Moving the model to the GPU',
  compile: 'Preparing the GPU',
  ready: 'Ready',
}

/** Bytes of bytes, speed, and what was here before, as far as they mean something in this phase. */
export function progressFacts(progress: LoadProgress): readonly string[] {
  const { phase, loadedBytes, totalBytes, bytesPerSecond, cachedBytes } = progress
  if (phase === 'compile' || phase === 'ready' || totalBytes === 0) return []
  return [
    formatBytesOf(loadedBytes, totalBytes),
    ...(phase === 'download' && bytesPerSecond !== undefined ? [`${formatBytes(bytesPerSecond)}/s`] : []),
    ...(phase === 'download' && cachedBytes > 0 ? [`${formatBytes(cachedBytes)} were here already`] : []),
    ...(phase !== 'download' ? ['from this device'] : []),
  ]
}

/** How far this phase is, where that can be known: compiling takes what it takes. */
export function knownBytes(progress: LoadProgress | undefined): number | undefined {
  return progress === undefined || progress.phase === 'compile' ? undefined : progress.loadedBytes
}

/** The whole load as one short text for the header. */
export function progressSummary(progress: LoadProgress | undefined): string {
  if (progress?.phase !== 'download' || progress.totalBytes === 0) return 'Loading'
  return `Loading ${Math.floor((100 * progress.loadedBytes) / progress.totalBytes)}%`
}
