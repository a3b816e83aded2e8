// @ts-check
import { expect, test } from 'vitest'
import { measureSystems } from '../e2e/bench/harness.mjs'
import { resultsOf } from '../e2e/bench/results.mjs'
import { failure } from '../e2e/bench/system.mjs'
import { parseTests } from '../e2e/bench/tests.mjs'

/**
 * @typedef {import('../e2e/bench/system.mjs').Session} Session
 * @typedef {import('../e2e/bench/system.mjs').System} System
 */

const reference = [
  {
    name: 'counting',
    tokens: [1, 2, 3, 4],
    steps: [2, 3, 4, 5].map((token, position) => ({
      position,
      prefix: 'one two three four'
        .split(' ')
        .slice(0, position + 1)
        .join(' '),
      topLogprobs: [/** @type {const} */ ([token, -0.1]), /** @type {const} */ ([9, -3])],
    })),
  },
]

/** @type {string[]} every run of a test, in the order of time */
let order = []

/**
 * A system that needs no browser.
 * @param {string} id
 * @param {number} msPerToken
 * @param {Partial<Session>} [session]
 * @returns {System & { closed: () => boolean }}
 */
function fakeSystem(id, msPerToken, session = {}) {
  let isClosed = false
  return {
    id,
    name: id,
    closed: () => isClosed,
    open: async () => ({
      load: async () => ({
        time: { totalMs: 10, firstTokenMs: 1 },
        facts: { device: 'none', weightBytesPerToken: 100, limit: { device: 'cpu', threads: 1, bytes: 1e6 } },
      }),
      run: async ({ prompts, maxTokens }) => {
        order.push(id)
        return {
          promptTokens: 8 * prompts.length,
          answerTokens: maxTokens * prompts.length,
          firstTokenMs: 8 * msPerToken,
          firstTokens: prompts.length,
          totalMs: (8 + maxTokens - 1) * msPerToken,
        }
      },
      follow: async ({ steps }) => steps.map(({ topLogprobs }) => [...topLogprobs]),
      close: async () => {
        isClosed = true
      },
      ...session,
    }),
  }
}

const tests = parseTests('pp8,tg4,load')
const deadlines = { openMs: 200, loadMs: 200, agreementMs: 200, runMs: () => 200 }
const progress = { begin: () => {}, step: () => {} }

/** @param {readonly System[]} systems */
async function measure(systems) {
  order = []
  const rounds = /** @type {number[]} */ ([])
  const plan = { systems, tests, numRounds: 3, reference, deadlines, restMs: 0 }
  const all = await measureSystems({ ...plan, onRound: async (round) => void rounds.push(round) }, progress)
  const runs = [1, 2, 3].map((round) => ({ round, bytesPerSecond: 100_000 }))
  const limit = { id: 'cpu-1-1mb', name: 'reading', device: /** @type {const} */ ('cpu'), bytes: 1e6, runs }
  const bytesPerSecond = { min: 1e5, median: 1e5, max: 1e5 }
  const { baseline, systems: results } = resultsOf(all, tests, [{ ...limit, bytesPerSecond }], 'steady')
  return { baseline, rounds, byId: Object.fromEntries(results.map((result) => [result.id, result])) }
}

test('runs are interleaved, the first round does not count, and speeds are by the clock', async () => {
  const { byId, rounds, baseline } = await measure([fakeSystem('steady', 10), fakeSystem('double', 5)])
  expect(rounds).toEqual([1, 2, 3])
  expect(baseline).toBe('steady')
  expect(order).toHaveLength(2 * 2 * 4)
  // Never the same system twice within a test of a round.
  for (let run = 0; run < order.length; run += 2) expect(order[run]).not.toBe(order[run + 1])
  const { steady, double } = byId
  expect(steady?.tests.pp8?.runs.map(({ round }) => round)).toEqual([1, 2, 3])
  expect(steady?.tests.pp8?.summary.median).toBeCloseTo(100)
  expect(steady?.tests.tg4?.summary.median).toBeCloseTo(100)
  expect(steady?.tests.tg4?.ratio).toBeUndefined()
  expect(double?.tests.tg4?.ratio?.median).toBeCloseTo(2)
  expect(double?.tests.load?.runs).toHaveLength(3)
  expect(double?.load?.warm).toHaveLength(3)
  expect(double?.agreement).toMatchObject({ numSteps: 4, numAgreeing: 4 })
  // 200 tokens a second of 100 bytes each, where 100,000 bytes a second can be read.
  expect(double?.tests.tg4?.shareOfLimit?.median).toBeCloseTo(0.2)
})

test('one that answers nonsense fast is measured and labelled', async () => {
  const nonsense = fakeSystem('nonsense', 0.1, {
    follow: async ({ steps }) =>
      steps.map(() => [
        [7, -0.01],
        [2, -5],
        [3, -5],
        [4, -5],
        [5, -5],
      ]),
  })
  const { byId } = await measure([fakeSystem('steady', 10), nonsense])
  expect(byId.nonsense).toMatchObject({ status: 'wrong-output', agreement: { numSteps: 4, numAgreeing: 0 } })
  expect(byId.nonsense?.tests.tg4?.ratio?.median).toBeCloseTo(100)
  expect(byId.steady?.status).toBe('ok')
})

test('one whose likeliest tokens are right and whose probabilities are not is labelled too', async () => {
  const vague = fakeSystem('vague', 1, {
    follow: async ({ steps }) =>
      steps.map(({ topLogprobs }) => [
        [topLogprobs[0]?.[0] ?? 0, -2],
        [9, -2.1],
      ]),
  })
  const { byId } = await measure([fakeSystem('steady', 10), vague])
  expect(byId.vague?.agreement?.numAgreeing).toBe(4)
  expect(byId.vague?.status).toBe('wrong-output')
})

test('one that hangs is closed at its deadline, and the others go on', async () => {
  const never = () => new Promise(() => {})
  let numRuns = 0
  const hanging = fakeSystem('hanging', 1, {
    run: async (request) => {
      if (++numRuns > 3) await never()
      const session = await fakeSystem('hanging', 1).open()
      return session.run(request)
    },
  })
  const deaf = fakeSystem('deaf', 1, { load: /** @type {Session['load']} */ (never) })
  const unclosable = { ...fakeSystem('unopened', 1), open: /** @type {System['open']} */ (never) }
  const { byId } = await measure([hanging, fakeSystem('steady', 10), deaf, unclosable])
  expect(byId.hanging).toMatchObject({ status: 'hung', reason: expect.stringContaining('0.2 s') })
  // What it did before that is kept.
  expect(byId.hanging?.tests.pp8?.runs).toHaveLength(1)
  expect(hanging.closed()).toBe(true)
  expect(deaf.closed()).toBe(true)
  expect([byId.deaf?.status, byId.unopened?.status]).toEqual(['hung', 'hung'])
  expect(byId.steady?.tests.tg4?.runs).toHaveLength(3)
})

test('one that crashes, one that is out of reach and one that fails say so, and the others go on', async () => {
  const crashing = fakeSystem('crashing', 1, {
    run: async () => {
      throw new Error('page.evaluate: Target crashed')
    },
  })
  const absent = {
    ...fakeSystem('absent', 1),
    open: async () => {
      throw failure('unavailable', 'Its files are out of reach.')
    },
  }
  const short = fakeSystem('short', 1, {
    run: async () => ({ promptTokens: 8, answerTokens: 1, firstTokenMs: 1, firstTokens: 1, totalMs: 1 }),
  })
  const { byId } = await measure([crashing, absent, short, fakeSystem('steady', 10)])
  expect(byId.crashing).toMatchObject({ status: 'crashed', tests: {} })
  expect(byId.absent).toMatchObject({ status: 'unavailable', reason: 'Its files are out of reach.' })
  // One token where four were asked for is no speed.
  expect(byId.short?.status).toBe('failed')
  expect(byId.steady).toMatchObject({ status: 'ok' })
  expect(byId.steady?.tests.tg4?.runs).toHaveLength(3)
})

test('without the baseline there are figures and no ratios', async () => {
  const { byId, baseline } = await measure([fakeSystem('double', 5)])
  expect(baseline).toBeNull()
  expect(byId.double?.tests.tg4?.ratio).toBeUndefined()
  expect(byId.double?.tests.tg4?.summary.median).toBeCloseTo(200)
})
