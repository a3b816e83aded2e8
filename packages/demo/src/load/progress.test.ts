import type { LoadProgress } from '@brasa/runtime'
import { expect, test } from 'vitest'
import { progressFacts, progressSummary } from './progress.ts'

const download: LoadProgress = {
  phase: 'download',
  loadedBytes: 62_000_000,
  totalBytes: 98_362_432,
  cachedBytes: 0,
}

test('a download says bytes of bytes, and its speed once it is known', () => {
  expect(progressFacts(download)).toEqual(['62 of 98 MB'])
  expect(progressFacts({ ...download, bytesPerSecond: 4_200_000, cachedBytes: 33_554_432 })).toEqual([
    '62 of 98 MB',
    '4.2 MB/s',
    '34 MB were here already',
  ])
})

test('compiling has no bytes to speak of', () => {
  expect(progressFacts({ ...download, phase: 'compile' })).toEqual([])
})

test('the summary has a percentage only while fetching, and never too early a hundred', () => {
  expect(progressSummary(undefined)).toBe('Loading')
  expect(progressSummary({ ...download, loadedBytes: 98_362_431 })).toBe('Loading 99%')
  expect(progressSummary({ ...download, phase: 'upload' })).toBe('Loading')
  expect(progressSummary({ ...download, totalBytes: 0 })).toBe('Loading')
})
