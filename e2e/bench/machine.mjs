// @ts-check
import { arch, cpus, hostname, loadavg, platform, totalmem } from 'node:os'
import { spreadOf } from './statistics.mjs'

/** Steps of the loop that tells a quiet machine from a busy one: a tenth of a second or so. */
const numLoopSteps = 1e8

/** Watches how noisy the machine is while something else is measured. */
export function watchMachine() {
  /** @type {number[]} */
  const loopMs = []
  const firstLoad = loadavg()[0] ?? 0
  return {
    /** Between two rounds, while nothing else runs. */
    probe: () => {
      const start = performance.now()
      let state = 1
      for (let step = 0; step < numLoopSteps; step++)
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
      // Used, so that it is not left out.
      if (state === 0) throw new Error('unreachable')
      loopMs.push(performance.now() - start)
    },
    /** @returns {import('./schema.mjs').Machine} */
    describe: () => ({
      name: hostname(),
      platform: `${platform()} ${arch()}`,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      numCores: cpus().length,
      memoryBytes: totalmem(),
      loadAverage: [firstLoad, loadavg()[0] ?? 0],
      noise: { loopMs, spread: loopMs.length === 0 ? 0 : spreadOf(loopMs) },
    }),
  }
}
