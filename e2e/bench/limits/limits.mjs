// @ts-check
import { limitId } from '../results.mjs'
import { summaryOf } from '../statistics.mjs'
import { measureCpuRead } from './cpu-read.mjs'
import { measureGpuRead } from './gpu-read.mjs'

/**
 * @typedef {import('../schema.mjs').Limit} Limit
 * @typedef {import('../system.mjs').LimitQuery} LimitQuery
 */

/**
 * What the device can read, asked again in each round.
 * @param {import('playwright').Page} page of the peers' server
 */
export function createLimits(page) {
  /** @type {Map<string, { query: LimitQuery, runs: Limit['runs'] }>} */
  const measured = new Map()
  return {
    /**
     * @param {number} round
     * @param {readonly LimitQuery[]} queries
     */
    measure: async (round, queries) => {
      for (const query of new Map(queries.map((query) => [limitId(query), query])).values()) {
        const { device, threads = 1, bytes } = query
        const bytesPerSecond =
          device === 'gpu' ? await measureGpuRead(page, bytes) : await measureCpuRead(page, threads, bytes)
        const entry = measured.get(limitId(query)) ?? { query, runs: [] }
        entry.runs.push({ round, bytesPerSecond })
        measured.set(limitId(query), entry)
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
  return `reading ${megabytes} with SIMD, ${threads === 1 ? '1 thread' : `${threads} threads`}`
}
