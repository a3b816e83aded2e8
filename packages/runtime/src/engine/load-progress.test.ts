import { describe, expect, test } from 'vitest'
import type { LoadProgress } from '../protocol.ts'
import { createLoadProgress } from './load-progress.ts'

const reporter = () => {
  const reports: LoadProgress[] = []
  return {
    reports,
    progress: createLoadProgress(
      () => 100,
      (report) => reports.push(report),
    ),
  }
}
const storage = (phase: 'download' | 'verify', loadedBytes: number): LoadProgress => ({
  phase,
  loadedBytes,
  totalBytes: 100,
  cachedBytes: 25,
})

describe('createLoadProgress', () => {
  test('phases never go back: shards verified during the upload are part of it', () => {
    const { progress, reports } = reporter()
    progress.fromStorage(storage('download', 50))
    progress.fromStorage(storage('verify', 10))
    progress.fromStorage(storage('download', 60))
    progress.enter('upload')
    progress.fromStorage(storage('verify', 20))
    progress.enter('compile')
    progress.enter('ready')
    expect(reports.map(({ phase, loadedBytes }) => `${phase} ${loadedBytes}`)).toEqual([
      'download 50',
      'verify 10',
      'upload 0',
      'compile 100',
      'ready 100',
    ])
    expect(reports.every(({ totalBytes, cachedBytes }) => totalBytes === 100 && cachedBytes === 25)).toBe(
      true,
    )
  })

  test('a model that was stored is cached whole', () => {
    const { progress, reports } = reporter()
    progress.fromStorage({ ...storage('verify', 10), cachedBytes: 0 })
    progress.enter('upload')
    expect(reports.map(({ cachedBytes }) => cachedBytes)).toEqual([100, 100])
  })

  test('measures the upload, and reports it ten times a second at most', async () => {
    const { progress, reports } = reporter()
    progress.enter('upload')
    await new Promise((resolve) => setTimeout(resolve, 120))
    for (let bytes = 50; bytes < 60; bytes++) progress.uploaded(bytes)
    expect(reports).toHaveLength(2)
    expect(reports[1]!.bytesPerSecond).toBeGreaterThan(0)
    expect(reports[1]!.secondsLeft).toBeGreaterThan(0)
  })
})
