import { describe, expect, it } from 'vitest'
import { createProgressMeter, type StorageProgress } from './progress.ts'

/** A meter on a clock that the test turns. */
function meterAt0() {
  const clock = { ms: 0 }
  const reports: StorageProgress[] = []
  const meter = createProgressMeter(
    'download',
    (report) => reports.push(report),
    () => clock.ms,
  )
  return { clock, reports, meter }
}

describe('createProgressMeter', () => {
  it('measures speed over the last three seconds, cached bytes apart', () => {
    const { clock, reports, meter } = meterAt0()
    meter.expect(100_000)
    meter.cached(50_000)
    for (clock.ms = 100; clock.ms <= 2000; clock.ms += 100) meter.arrived(1000)
    for (; clock.ms <= 6000; clock.ms += 100) meter.arrived(100)
    const last = reports.at(-1)!
    expect(last).toMatchObject({ loadedBytes: 74_000, totalBytes: 100_000, cachedBytes: 50_000 })
    expect(last.bytesPerSecond).toBeCloseTo(1000, -1)
    expect(last.secondsLeft).toBeCloseTo(26, 0)
  })

  it('says nothing of speed before there is any', () => {
    const { reports, meter } = meterAt0()
    meter.expect(1000)
    expect(reports).toEqual([{ phase: 'download', loadedBytes: 0, totalBytes: 1000, cachedBytes: 0 }])
  })

  it('reports about ten times a second, and at the end', () => {
    const { clock, reports, meter } = meterAt0()
    meter.expect(1000)
    for (clock.ms = 1; clock.ms <= 1000; clock.ms++) meter.arrived(1)
    expect(reports.length).toBeLessThanOrEqual(11)
    meter.finish()
    expect(reports.at(-1)).toMatchObject({ loadedBytes: 1000, secondsLeft: 0 })
  })

  it('takes back what was lost', () => {
    const { reports, meter } = meterAt0()
    meter.expect(1000)
    meter.arrived(400)
    meter.lost(400)
    meter.finish()
    expect(reports.at(-1)!.loadedBytes).toBe(0)
  })
})
