// @ts-check
import { stripVTControlCharacters } from 'node:util'

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {readonly string[]} failures a line each: where, which test, and how its message begins
 */

/** @typedef {{ status: string, fullName: string, failureMessages?: readonly string[] }} VitestAssertion */
/** @typedef {{ name: string, status: string, message?: string, assertionResults: readonly VitestAssertion[] }} VitestFile */
/** @typedef {{ title: string, file: string, line: number, tests: readonly { status: string, results: readonly { error?: { message?: string } }[] }[] }} PlaywrightSpec */
/** @typedef {{ specs?: readonly PlaywrightSpec[], suites?: readonly PlaywrightSuite[] }} PlaywrightSuite */

/** @param {readonly Counts[]} counts @returns {Counts} */
export function total(counts) {
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failures: counts.flatMap(({ failures }) => failures),
  }
}

/**
 * @param {{ numPassedTests: number, testResults: readonly VitestFile[] }} report of Vitest's JSON reporter
 * @returns {Counts}
 */
export function countVitest({ numPassedTests, testResults }) {
  const failures = testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((assertion) => assertion.status === 'failed')
    // A file that cannot be loaded fails without a single failed test in it.
    if (failed.length === 0) return status === 'failed' ? [failureLine(name, 'as a whole', message)] : []
    return failed.map(({ fullName, failureMessages }) => failureLine(name, fullName, failureMessages?.[0]))
  })
  return { passed: numPassedTests, failures }
}

/**
 * @param {{ stats: { expected: number }, suites: readonly PlaywrightSuite[] }} report of Playwright's JSON reporter
 * @returns {Counts}
 */
export function countPlaywright({ stats, suites }) {
  const failures = suites.flatMap(specsOf).flatMap(({ title, file, line, tests }) =>
    tests
      .filter(({ status }) => status === 'unexpected' || status === 'flaky')
      .map(({ results }) => {
        const message = results.find(({ error }) => error !== undefined)?.error?.message
        return failureLine(`${file}:${line}`, title, message)
      }),
  )
  return { passed: stats.expected, failures }
}

/** @param {PlaywrightSuite} suite @returns {readonly PlaywrightSpec[]} */
function specsOf({ specs = [], suites = [] }) {
  return [...specs, ...suites.flatMap(specsOf)]
}

/** @param {string} file @param {string} test @param {string} [message] */
function failureLine(file, test, message = '') {
  const [firstLine = ''] = stripVTControlCharacters(message).split('\n')
  return `${file} › ${test}${firstLine && `: ${firstLine}`}`
}
