// @ts-check
import { expect, test } from 'vitest'
import { countPlaywright, countVitest, total } from './test-counts.mjs'

test('names what failed, and a file that cannot be loaded is a failure too', () => {
  const passed = { status: 'passed', fullName: 'adds' }
  const failed = {
    status: 'failed',
    fullName: 'subtracts from zero',
    failureMessages: ['\u001B[31mAssertionError: expected 1 to be 2\u001B[39m\n  at b.test.ts:3'],
  }
  const report = {
    numPassedTests: 2,
    testResults: [
      { name: 'a.test.ts', status: 'failed', message: 'No such module', assertionResults: [] },
      { name: 'b.test.ts', status: 'failed', assertionResults: [failed, passed] },
      { name: 'c.test.ts', status: 'passed', assertionResults: [passed] },
    ],
  }
  expect(countVitest(report)).toEqual({
    passed: 2,
    failures: [
      'a.test.ts › as a whole: No such module',
      'b.test.ts › subtracts from zero: AssertionError: expected 1 to be 2',
    ],
  })
})

test('a flaky test is a failed one, in whichever group it stands', () => {
  /** @param {string} title @param {string} status @param {string} [message] */
  const spec = (title, status, message) => ({
    title,
    file: 'chats.spec.ts',
    line: 7,
    tests: [{ status, results: [{ ...(message && { error: { message } }) }, {}] }],
  })
  const inner = { specs: [spec('types', 'unexpected')] }
  const outer = { specs: [spec('opens', 'expected'), spec('stops', 'flaky', 'late')], suites: [inner] }
  expect(countPlaywright({ stats: { expected: 1 }, suites: [outer] })).toEqual({
    passed: 1,
    failures: ['chats.spec.ts:7 › stops: late', 'chats.spec.ts:7 › types'],
  })
})

test('counts add up', () => {
  expect(
    total([
      { passed: 1, failures: [] },
      { passed: 2, failures: ['a', 'b'] },
    ]),
  ).toEqual({ passed: 3, failures: ['a', 'b'] })
  expect(total([])).toEqual({ passed: 0, failures: [] })
})
