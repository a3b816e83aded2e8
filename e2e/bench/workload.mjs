// @ts-check
import { figuresOf } from './figures.mjs'
import { promptOf } from './prompts.mjs'
import { withDeadline } from './system.mjs'

/**
 * @typedef {import('./harness.mjs').Deadlines} Deadlines
 * @typedef {import('./schema.mjs').Run} Run
 * @typedef {import('./system.mjs').Session} Session
 * @typedef {import('./tests.mjs').Workload} Workload
 */

/**
 * Runs one test once.
 * @param {Session} session
 * @param {Workload} workload
 * @param {number} index of its first prompt
 * @param {Deadlines} deadlines
 * @returns {Promise<Omit<Run, 'round'> | undefined>} undefined where it does not apply: what has no page has none that is busy
 */
export const runTest = (session, workload, index, deadlines) =>
  (workload.kind === 'busy' ? runBusy : runWorkload)(session, workload, index, deadlines)

/**
 * @param {Session} session
 * @param {Workload} workload
 * @param {number} index of its first prompt
 * @param {Deadlines} deadlines
 * @returns {Promise<Omit<Run, 'round'>>}
 */
async function runWorkload(session, workload, index, deadlines) {
  const { kind, answerTokens, streams } = workload
  const prompts = Array.from({ length: streams }, (_, stream) =>
    promptOf(index + stream, workload.promptTokens),
  )
  const answer = await withDeadline(
    session.run({ prompts, maxTokens: answerTokens }),
    deadlines.runMs(workload),
    workload.name,
  )
  if (answer.answerTokens !== answerTokens * streams) {
    throw new Error(`It was to answer ${answerTokens * streams} tokens and answered ${answer.answerTokens}.`)
  }
  const { value, reported } = figuresOf(kind, answer)
  return {
    value,
    promptTokens: answer.promptTokens,
    answerTokens: answer.answerTokens,
    ...(reported !== undefined && { reported }),
  }
}

/**
 * The rate while the page is busy, over the one right before.
 * @param {Session} session
 * @param {Workload} workload
 * @param {number} index of its first prompt
 * @param {Deadlines} deadlines
 * @returns {Promise<Omit<Run, 'round'> | undefined>} undefined where it has no page
 */
async function runBusy(session, workload, index, deadlines) {
  const { setBusy } = session
  if (setBusy === undefined) return undefined
  const idle = await runWorkload(session, workload, index, deadlines)
  await withDeadline(setBusy(true), deadlines.openMs, 'Keeping its page busy')
  const busy = await runWorkload(session, workload, index + 1, deadlines)
  await withDeadline(setBusy(false), deadlines.openMs, 'Letting its page be')
  return { promptTokens: busy.promptTokens, answerTokens: busy.answerTokens, value: busy.value / idle.value }
}
