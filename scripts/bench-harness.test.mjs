// @ts-check
import { expect, test } from 'vitest'
import { openBrowser } from '../e2e/bench/browser.mjs'
import { measureSystems } from '../e2e/bench/harness.mjs'
import { createLimits } from '../e2e/bench/limits/limits.mjs'
import { createProbe } from '../e2e/bench/probe.mjs'
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
const deadlines = {
  ...{ openMs: 200, loadMs: 200, agreementMs: 200, roundMs: 200, closeMs: 200 },
  runMs: () => 200,
}
const never = () => new Promise(() => {})
const progress = { begin: () => {}, step: () => {} }

/**
 * @param {readonly System[]} systems
 * @param {Partial<import('../e2e/bench/harness.mjs').Plan>} [changes]
 */
async function measure(systems, changes) {
  order = []
  const rounds = /** @type {number[]} */ ([])
  const notes = /** @type {string[]} */ ([])
  const saved = /** @type {number[]} */ ([])
  const all = await measureSystems(
    {
      ...{ systems, tests, numRounds: 3, reference, deadlines, restMs: 0 },
      onRound: async (round) => void rounds.push(round),
      onMeasured: (all) => saved.push(all[0]?.runs.get('tg4')?.length ?? 0),
      note: (sentence) => notes.push(sentence),
      ...changes,
    },
    progress,
  )
  const runs = [1, 2, 3].map((round) => ({ round, bytesPerSecond: 100_000 }))
  const limit = { id: 'cpu-1-1mb', name: 'reading', device: /** @type {const} */ ('cpu'), bytes: 1e6, runs }
  const bytesPerSecond = { min: 1e5, median: 1e5, max: 1e5 }
  const { baseline, systems: results } = resultsOf(
    all,
    changes?.tests ?? tests,
    [{ ...limit, bytesPerSecond }],
    ['steady', 'second'],
  )
  const byId = Object.fromEntries(results.map((result) => [result.id, result]))
  return { baseline, rounds, notes, saved, byId }
}

test('runs are interleaved, the first round does not count, and speeds are by the clock', async () => {
  const { byId, rounds, baseline, saved } = await measure([fakeSystem('steady', 10), fakeSystem('double', 5)])
  expect(rounds).toEqual([1, 2, 3])
  // After the loads, before the rounds and after each: what ends the run leaves as much.
  expect(saved).toEqual([0, 0, 1, 2, 3])
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

test('a busy page, a long context and a second baseline have ratios of their own', async () => {
  const { run } = await fakeSystem('steady', 10).open()
  /** @param {number} slowdown of a busy page */
  const pageOf = (slowdown) => {
    let factor = 1
    return {
      run: /** @type {Session['run']} */ (
        async (request) => {
          const answer = await run(request)
          // A long prompt makes each token twice as dear.
          const isLong = (request.prompts[0]?.length ?? 0) > 900
          return {
            ...answer,
            totalMs: answer.firstTokenMs + (answer.totalMs - 80) * factor * (isLong ? 2 : 1),
          }
        }
      ),
      setBusy: async (/** @type {boolean} */ isBusy) => {
        factor = isBusy ? slowdown : 1
      },
    }
  }
  const systems = [
    fakeSystem('steady', 10, pageOf(4)),
    fakeSystem('second', 10, pageOf(2)),
    fakeSystem('native', 5),
  ]
  const tests = parseTests('busy,ctx100,ctx300')
  const { byId } = await measure(systems, { tests })
  expect(byId.steady?.tests.busy?.summary.median).toBeCloseTo(0.25)
  expect(byId.second?.tests.busy?.ratio?.median).toBeCloseTo(2)
  expect(byId.native).toMatchObject({ status: 'ok' })
  expect(byId.native?.tests.busy).toBeUndefined()
  expect(byId.steady?.contextCost).toMatchObject({ from: 'ctx100', to: 'ctx300', perRound: [2, 2, 2] })
  expect(byId.native?.contextCost?.median).toBeCloseTo(1)
  expect(byId.native?.tests.ctx300?.otherRatios?.second?.median).toBeCloseTo(4)
  expect(byId.second?.tests.ctx300?.otherRatios).toBeUndefined()
})

test('without the baseline there are figures and no ratios', async () => {
  const { byId, baseline } = await measure([fakeSystem('double', 5)])
  expect(baseline).toBeNull()
  expect(byId.double?.tests.tg4?.ratio).toBeUndefined()
  expect(byId.double?.tests.tg4?.summary.median).toBeCloseTo(200)
})

test.each([
  ['follow', 'hung', 0, { follow: never }],
  ['memory', 'ok', 3, { memory: never }],
  ['close', 'ok', 3, { close: never }],
])('one that hangs in %s is %s, with what it did before', async (_, status, numRuns, session) => {
  const hanging = fakeSystem('hanging', 5, /** @type {Partial<Session>} */ (session))
  const { byId } = await measure([hanging, fakeSystem('steady', 10)])
  expect(byId.hanging?.status).toBe(status)
  expect(byId.hanging?.tests.tg4?.runs ?? []).toHaveLength(numRuns)
  expect(byId.hanging?.notes).toHaveLength('memory' in session ? 1 : 0)
  expect(byId.steady).toMatchObject({ status: 'ok', load: { warm: [{}, {}, {}] } })
})

test('a baseline that hangs when it loads again was measured before, and so were the ratios to it', async () => {
  const { load } = await fakeSystem('steady', 10).open()
  const hanging = fakeSystem('steady', 10, {
    load: /** @type {Session['load']} */ ((from) => (from === 'server' ? load(from) : never())),
  })
  const { byId, baseline } = await measure([hanging, fakeSystem('double', 5)])
  expect(byId.steady?.status).toBe('hung')
  expect(baseline).toBe('steady')
  expect(byId.double?.tests.tg4?.ratio?.median).toBeCloseTo(2)
})

test('counting that hangs is a note, and the figures stand', async () => {
  const countWork = /** @type {NonNullable<System['countWork']>} */ (never)
  const { byId } = await measure([{ ...fakeSystem('steady', 10), countWork }])
  expect(byId.steady).toMatchObject({ status: 'ok', notes: [expect.stringContaining('not counted')] })
  expect(byId.steady?.tests.tg4?.runs).toHaveLength(3)
})

test.each([
  ['fails', () => Promise.reject(new Error('The GPU is gone.'))],
  ['hangs', /** @type {() => Promise<void>} */ (never)],
])('what comes before a round and %s takes no figure along', async (_, onRound) => {
  const { byId, notes } = await measure([fakeSystem('steady', 10)], { onRound })
  expect(notes).toHaveLength(3)
  expect(byId.steady?.tests.tg4?.runs).toHaveLength(3)
})

/** @param {(browser: number) => unknown} act of the first browser, the second … */
function fakeProbe(act) {
  let [numOpened, numClosed] = [0, 0]
  const probe = createProbe(async () => {
    const browser = ++numOpened
    const page = /** @type {any} */ ({ evaluate: async () => act(browser) })
    return { page, version: '1', close: async () => void numClosed++ }
  })
  return { probe, counts: () => ({ numOpened, numClosed }) }
}

test('a limit that fails or hangs is a note, is not asked for again, and another browser measures the others', async () => {
  const gpu = { device: /** @type {const} */ ('gpu'), bytes: 97e6 }
  const cpu = { device: /** @type {const} */ ('cpu'), threads: 2, bytes: 97e6 }
  const { probe, counts } = fakeProbe((browser) => {
    if (browser === 1) throw new Error('The GPU failed: it is lost')
    return 5e9
  })
  /** @type {string[]} */
  const notes = []
  const limits = createLimits(probe, (sentence) => notes.push(sentence))
  for (const round of [1, 2]) await limits.measure(round, [gpu, cpu])
  expect(notes).toEqual([
    'From round 1 on there is no limit of reading 97 MB in a WebGPU kernel: The GPU failed: it is lost',
  ])
  expect(limits.results()).toMatchObject([{ id: 'cpu-2-97mb', runs: [{ round: 1 }, { round: 2 }] }])
  expect(counts()).toEqual({ numOpened: 2, numClosed: 1 })

  const hanging = fakeProbe((browser) => (browser === 1 ? never() : 'there'))
  const ask = () => hanging.probe.ask('Asking', 50, ({ page }) => page.evaluate(''))
  await expect(ask()).rejects.toMatchObject({ status: 'hung' })
  await expect(ask()).resolves.toBe('there')
})

test('a page that really crashes while it answers is labelled, and the others go on', async () => {
  const browserOptions = { gpu: false, headed: false, args: [] }
  const { page, close } = await openBrowser(browserOptions)
  let numRuns = 0
  const crashing = fakeSystem('crashing', 1, {
    run: async (request) => {
      if (++numRuns === 4) page.goto('chrome://crash').catch(() => {})
      await page.evaluate((isLast) => (isLast ? new Promise(() => {}) : 0), numRuns === 4)
      const session = await fakeSystem('crashing', 1).open()
      return session.run(request)
    },
    close,
  })
  // Busy machines take long to report a crash; a hang would be another label.
  const patient = { ...deadlines, closeMs: 20_000, runMs: () => 40_000 }
  const { byId } = await measure([crashing, fakeSystem('steady', 10)], { deadlines: patient })
  expect(byId.crashing).toMatchObject({ status: 'crashed', tests: { pp8: { runs: [{ round: 1 }] } } })
  expect(byId.steady?.tests.tg4?.runs).toHaveLength(3)
})
