// @ts-check
import { limitId } from '../results.mjs'
import { summaryOf } from '../statistics.mjs'
import { failureOf, threadsInWords } from '../system.mjs'
import { measureCpuRead } from './cpu-read.mjs'
import { measureGpuRead } from './gpu-read.mjs'

/**
 * @typedef {import('../schema.mjs').Limit} Limit
 * @typedef {import('../system.mjs').LimitQuery} LimitQuery
 */

const deadlineMs = 60_000

/**
 * What the device can read, asked again in each round. What cannot be measured is noted, and not asked for again.
 * @param {Pick<ReturnType<typeof import('../probe.mjs').createProbe>, 'ask'>} probe on a page of the peers' server
 * @param {(sentence: string) => void} note
 */
export function createLimits(probe, note) {
  /** @type {Map<string, { query: LimitQuery, runs: Limit['runs'] }>} */
  const measured = new Map()
  /** @type {Set<string>} */
  const failed = new Set()
  return {
    /**
     * @param {number} round
     * @param {readonly LimitQuery[]} queries
     */
    measure: async (round, queries) => {
      for (const [id, query] of new Map(queries.map((query) => [limitId(query), query]))) {
        if (failed.has(id)) continue
        const { device, threads = 1, bytes } = query
        const name = nameOf(query)
        try {
          const bytesPerSecond = await probe.ask(name, deadlineMs, ({ page }) =>
            device === 'gpu' ? measureGpuRead(page, bytes) : measureCpuRead(page, threads, bytes),
          )
          const entry = measured.get(id) ?? { query, runs: [] }
          entry.runs.push({ round, bytesPerSecond })
          measured.set(id, entry)
        } catch (error) {
          failed.add(id)
          note(`From round ${round} on there is no limit of ${name}: ${failureOf(error).reason}`)
        }
      }
    },
    /** @returns {Limit[]} */
    results: () =>
      [...measured].map(([id, { query, runs }]) => ({
        id,
        name: nameOf(query),
        ...query,
        runs,
        bytesPerSecond: summaryOf(runs.map(({ bytesPerSecond }) => bytesPerSecond)),
      })),
  }
}

/** @param {LimitQuery} query */
function nameOf({ device, threads, bytes }) {
  const megabytes = `${Math.round(bytes / 1e6)} MB`
  if (device === 'gpu') return `reading ${megabytes} in a WebGPU kernel`
  return `reading ${megabytes} with SIMD, ${threadsInWords(threads ?? 1)}`
}
