import type { Adapter, BenchResults, BenchTest, SystemResult } from '../../../../e2e/bench/schema.mjs'
import { version as runtimeVersion } from '../../../runtime/package.json'
import { formatMeasured, formatRate } from '../format/units.ts'
import { findAdapter } from '../panel/adapter.ts'
import { numRounds } from './run-bench.ts'

export interface MeasuredModel {
  readonly id: string
  readonly file: string
  readonly bytes: number
}

/** What was measured in the format of the command line's results, as far as a page can know it. */
export function resultsOf(
  model: MeasuredModel,
  tests: readonly BenchTest[],
  systems: readonly SystemResult[],
  startedAt: Date,
  durationSeconds: number,
  adapter: Adapter | null,
): BenchResults {
  const { userAgent, platform, hardwareConcurrency } = navigator
  return {
    schemaVersion: 1,
    command: `The page ${location.href}`,
    startedAt: startedAt.toISOString(),
    durationSeconds,
    machine: { name: 'a browser', platform, numCores: hardwareConcurrency },
    browser: {
      version: userAgent.match(/(?:Chrome|Firefox|Version)\/([\d.]+)/)?.[1] ?? 'not known',
      userAgent,
      args: [],
      headed: true,
      adapter,
    },
    versions: { brasa: runtimeVersion },
    model,
    numRounds,
    // Measured one after the other: their ratios would be the machine's moods too.
    baseline: null,
    tests: [...tests],
    systems: [...systems],
    limits: [],
  }
}

/** What WebGPU offers here; null where there is none. */
export async function adapterOf(): Promise<Adapter | null> {
  const adapter = await findAdapter()
  if (adapter === null) return null
  const { name, isSoftware, features } = adapter
  return { name, isSoftware, features: [...features] }
}

/** A few lines to paste somewhere. */
export function shareTextOf({ model, tests, systems, machine, browser }: BenchResults): string {
  const lines = systems.map((system) => {
    if (system.status !== 'ok') return `${system.name}: ${system.reason ?? system.status}`
    const figures = tests.flatMap((test) => {
      const summary = system.tests[test.id]?.summary
      return summary === undefined ? [] : [`${test.id} ${figureOf(test, summary.median)}`]
    })
    return `${system.name} on ${system.device ?? 'this device'}: ${figures.join(', ')}`
  })
  return [
    `Brasa, ${model.file}, in this browser:`,
    ...lines,
    `${machine.platform}, ${machine.numCores} cores, WebGPU ${browser.adapter?.name ?? 'none'}, browser ${browser.version}. Medians of ${numRounds} rounds.`,
  ].join('\n')
}

export const figureOf = ({ unit }: BenchTest, value: number): string =>
  unit === 'ms' ? formatMeasured(value) : formatRate(value)
