// @ts-check
import { measureAgreement, wrongnessOf } from './agreement.mjs'
import { loadTokens } from './prompts.mjs'
import { failureOf, withDeadline } from './system.mjs'
import { isWorkload, maxStreams } from './tests.mjs'
import { runTest } from './workload.mjs'

/**
 * @typedef {import('./schema.mjs').BenchTest} BenchTest
 * @typedef {import('./schema.mjs').SystemResult} SystemResult
 * @typedef {import('./schema.mjs').Run} Run
 * @typedef {import('./system.mjs').System} System
 * @typedef {import('./system.mjs').Session} Session
 * @typedef {import('./system.mjs').LimitQuery} LimitQuery
 * @typedef {import('./tests.mjs').Workload} Workload
 *
 * @typedef {object} Measured one system, while it is measured and after
 * @property {System} system
 * @property {Session | undefined} session undefined before it is opened and after it failed
 * @property {Omit<SystemResult, 'tests'>} result
 * @property {LimitQuery | undefined} limit
 * @property {Map<string, Run[]>} runs by the test's id
 *
 * @typedef {object} Plan
 * @property {readonly System[]} systems
 * @property {readonly BenchTest[]} tests
 * @property {number} numRounds that count
 * @property {readonly import('./system.mjs').ReferenceCase[]} reference
 * @property {(round: number, queries: readonly LimitQuery[]) => Promise<void>} onRound before each that counts, while nothing else runs
 * @property {(all: readonly Measured[]) => void} [onMeasured] when there is something more to keep: after the loads, after each round
 * @property {(sentence: string) => void} note what went wrong with none of the systems
 * @property {Deadlines} [deadlines]
 * @property {number} [restMs] between two runs, for threads of the one before to come to rest
 *
 * @typedef {object} Deadlines
 * @property {number} openMs
 * @property {number} loadMs
 * @property {number} agreementMs
 * @property {number} roundMs of what is done before a round
 * @property {number} closeMs
 * @property {(workload: Workload) => number} runMs
 *
 * @typedef {object} Progress
 * @property {(numSteps: number) => void} begin
 * @property {(key: string, label: string) => void} step starts one; steps of the same key take about as long
 */

/** @type {Deadlines} */
const defaultDeadlines = {
  openMs: 60_000,
  loadMs: 300_000,
  // Of each text: some thirty requests to a system that is led by them.
  agreementMs: 300_000,
  // What is done there has shorter ones of its own.
  roundMs: 600_000,
  closeMs: 15_000,
  // Four tokens a second, after half a minute for what is compiled on first use.
  runMs: ({ promptTokens, answerTokens, streams }) => 30_000 + 250 * streams * (promptTokens + answerTokens),
}

/** Loads from storage that are timed. */
const numWarmLoads = 3

/**
 * Measures systems side by side: every round runs every test once on every system, one test after the other, so that what
 * slows the machine for a while slows them all. The round before the first is discarded. Whatever fails, hangs or crashes
 * is a row that says so, and the others go on.
 * @param {Plan} plan
 * @param {Progress} progress
 * @returns {Promise<Measured[]>}
 */
export async function measureSystems(plan, progress) {
  const { tests, numRounds, reference, deadlines = defaultDeadlines } = plan
  /** @type {Measured[]} */
  const all = plan.systems.map((system) => ({
    system,
    session: undefined,
    result: { id: system.id, name: system.name, status: 'ok', notes: [] },
    limit: undefined,
    runs: new Map(tests.map(({ id }) => [id, []])),
  }))
  const workloads = tests.filter(isWorkload)
  const timesLoads = tests.some(({ kind }) => kind === 'load')
  const numWarm = timesLoads ? numWarmLoads : 0
  const numSteps = 3 + (numRounds + 1) * workloads.length + numWarm
  progress.begin(all.length * numSteps)

  const attempt = attempter(progress, deadlines)

  try {
    for (const one of all) {
      await attempt(one, 'load', () => loadFirst(one, deadlines))
    }
    plan.onMeasured?.(all)
    for (const one of all) await attempt(one, 'agreement', () => agree(one, reference, deadlines))
    plan.onMeasured?.(all)

    for (let round = 0; round <= numRounds; round++) {
      if (round > 0) await beforeRound(plan, round, all, deadlines)
      for (const [position, workload] of workloads.entries()) {
        // One prompt for all: what differs between systems is not the work.
        const index = (round * workloads.length + position) * maxStreams
        for (const one of rotated(all, round)) {
          await attempt(one, workload.id, async (session) => {
            await rest(plan.restMs ?? 250)
            const run = await runTest(session, workload, index, deadlines)
            if (round > 0 && run !== undefined) one.runs.get(workload.id)?.push({ round, ...run })
          })
        }
      }
      if (round > 0) plan.onMeasured?.(all)
    }

    for (const one of all) await askMemory(one, deadlines)
    for (let round = 1; round <= numWarm; round++) {
      for (const one of rotated(all, round)) {
        await attempt(one, 'warm load', async (session) => {
          const { time } = await withDeadline(session.load('storage'), deadlines.loadMs, 'Loading again')
          one.result.load?.warm.push(time)
          const value = time.totalMs
          one.runs.get('load')?.push({ round, value, promptTokens: loadTokens, answerTokens: 1 })
        })
      }
    }
  } finally {
    await Promise.all(all.map((one) => close(one, deadlines)))
  }

  for (const one of all) await attempt(one, 'work', () => countWork(one, deadlines), true)
  return all
}

/**
 * @param {Progress} progress
 * @param {Deadlines} deadlines
 */
function attempter(progress, deadlines) {
  /**
   * Does one step of a system that is still well, and makes its failure the system's.
   * @param {Measured} one
   * @param {string} what
   * @param {(session: Session) => Promise<void>} act
   * @param {boolean} [isClosed] after the session's end
   */
  return async (one, what, act, isClosed = false) => {
    const { system, result } = one
    progress.step(`${system.id} ${what}`, `${system.name}: ${what}`)
    if (result.status !== 'ok' && result.status !== 'wrong-output') return
    try {
      await act(/** @type {Session} */ (one.session))
    } catch (error) {
      const { status, reason } = failureOf(error)
      if (isClosed) {
        // Its figures stand: what failed came after them.
        result.notes.push(`Its work a token was not counted: ${reason}`)
        return
      }
      Object.assign(result, { status, reason })
      await close(one, deadlines)
    }
  }
}

/**
 * @param {Measured} one
 * @param {Deadlines} deadlines
 */
async function loadFirst(one, deadlines) {
  const { system, result } = one
  let isLate = false
  const opening = system.open().then((session) => {
    // A browser that came up too late must not stay.
    if (isLate) session.close().catch(() => {})
    return session
  })
  const session = await withDeadline(opening, deadlines.openMs, 'Opening its page').catch((error) => {
    isLate = true
    throw error
  })
  one.session = session
  const { time, facts } = await withDeadline(session.load('server'), deadlines.loadMs, 'Loading')
  const { limit, ...rest } = facts
  Object.assign(result, rest)
  result.load = { cold: time, warm: [] }
  one.limit = limit
}

/**
 * @param {Measured} one
 * @param {Plan['reference']} reference
 * @param {Deadlines} deadlines
 */
async function agree(one, reference, deadlines) {
  const { session, result } = one
  if (session?.follow === undefined || reference.length === 0) return
  const follow = session.follow
  const agreement = await measureAgreement(
    (text) => withDeadline(follow(text), deadlines.agreementMs, 'Following a text of the reference'),
    reference,
  )
  if (agreement === undefined) return
  result.agreement = agreement
  const wrong = wrongnessOf(agreement)
  if (wrong !== undefined) Object.assign(result, { status: 'wrong-output', reason: wrong })
}

/**
 * @param {Plan} plan
 * @param {number} round
 * @param {readonly Measured[]} all
 * @param {Deadlines} deadlines
 */
async function beforeRound(plan, round, all, deadlines) {
  try {
    await withDeadline(plan.onRound(round, queriesOf(all)), deadlines.roundMs, 'What comes before a round')
  } catch (error) {
    plan.note(`Round ${round} has no figures of the machine: ${failureOf(error).reason}`)
  }
}

/**
 * A figure that is missing is no failure of the system: it goes on.
 * @param {Measured} one
 * @param {Deadlines} deadlines
 */
async function askMemory({ session, result }, deadlines) {
  if (session?.memory === undefined) return
  try {
    const memory = await withDeadline(session.memory(), deadlines.openMs, 'Asking for it')
    if (memory !== undefined) result.memory = memory
  } catch (error) {
    result.notes.push(`Its memory is not known: ${failureOf(error).reason}`)
  }
}

/**
 * @param {Measured} one
 * @param {Deadlines} deadlines
 */
async function countWork({ system, result }, deadlines) {
  if (system.countWork === undefined) return
  const { perToken, memory, notes } = await withDeadline(
    system.countWork(),
    deadlines.loadMs,
    'Counting its work',
  )
  if (perToken !== undefined) result.perToken = perToken
  result.memory = { ...result.memory, ...memory }
  result.notes.push(...notes)
}

/**
 * @param {Measured} one
 * @param {Deadlines} deadlines
 */
async function close(one, { closeMs }) {
  const { session } = one
  one.session = undefined
  if (session !== undefined) await withDeadline(session.close(), closeMs, 'Closing').catch(() => {})
}

/** @param {readonly Measured[]} all */
const queriesOf = (all) => all.flatMap(({ session, limit }) => (session && limit ? [limit] : []))

/**
 * Each round begins with another system: none is always the one that comes after the same neighbour's heat.
 * @param {readonly Measured[]} all
 * @param {number} round
 */
const rotated = (all, round) =>
  all.map((_, index) => /** @type {Measured} */ (all[(index + round) % all.length]))

const rest = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))
