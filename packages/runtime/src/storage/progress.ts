/** How far a load is. `api/types.ts` has the same shape with the phases of the rooms above. */
export interface StorageProgress {
  /** `wait`: another tab loads the same model. `verify`: stored shards are hashed as they are read for use. */
  readonly phase: 'wait' | 'download' | 'verify'
  /** Of this phase, shards that were in the store included. */
  readonly loadedBytes: number
  /** As far as it is known: a server may not say, and the parts of a split file are asked one after another. */
  readonly totalBytes: number
  /** Over the last three seconds; undefined until there is something to measure. */
  readonly bytesPerSecond?: number
  readonly secondsLeft?: number
  /** Bytes of this model that were in the shard store when the load began. */
  readonly cachedBytes: number
}

export interface ProgressMeter {
  expect(totalBytes: number): void
  /** Bytes that need not be fetched. */
  cached(bytes: number): void
  arrived(bytes: number): void
  /** Bytes that have arrived for nothing and will come again. */
  lost(bytes: number): void
  /** Reports at once. */
  finish(): void
}

const windowMs = 3000
const intervalMs = 100

/** Measures one phase and reports it about ten times a second. */
export function createProgressMeter(
  phase: StorageProgress['phase'],
  onProgress: ((progress: StorageProgress) => void) | undefined,
  now: () => number = () => performance.now(),
): ProgressMeter {
  let totalBytes = 0
  let cachedBytes = 0
  let loadedBytes = 0
  let arrivedBytes = 0
  let reportedAt = Number.NEGATIVE_INFINITY
  /** Arrived bytes at moments of the last three seconds, oldest first. */
  const samples: { at: number; bytes: number }[] = [{ at: now(), bytes: 0 }]

  function report(at: number): void {
    reportedAt = at
    samples.push({ at, bytes: arrivedBytes })
    while (samples.length > 2 && samples[1]!.at <= at - windowMs) samples.shift()
    const oldest = samples[0]!
    const elapsed = at - oldest.at
    const bytesPerSecond =
      elapsed > 0 && arrivedBytes > oldest.bytes
        ? ((arrivedBytes - oldest.bytes) * 1000) / elapsed
        : undefined
    const total = Math.max(totalBytes, loadedBytes)
    onProgress?.({
      phase,
      loadedBytes,
      totalBytes: total,
      cachedBytes,
      ...(bytesPerSecond === undefined
        ? {}
        : { bytesPerSecond, secondsLeft: (total - loadedBytes) / bytesPerSecond }),
    })
  }

  function change(): void {
    const at = now()
    if (at - reportedAt >= intervalMs) report(at)
  }

  return {
    expect: (bytes) => {
      totalBytes += bytes
      change()
    },
    cached: (bytes) => {
      cachedBytes += bytes
      loadedBytes += bytes
      change()
    },
    arrived: (bytes) => {
      arrivedBytes += bytes
      loadedBytes += bytes
      change()
    },
    lost: (bytes) => {
      loadedBytes -= bytes
    },
    finish: () => report(now()),
  }
}
