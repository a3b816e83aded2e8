// @ts-check
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { schemaVersion } from '../e2e/bench/schema.mjs'
import { parseTests } from '../e2e/bench/tests.mjs'

const folder = mkdtempSync(join(tmpdir(), 'bench-compare-'))
afterAll(() => rmSync(folder, { recursive: true }))

/**
 * @param {string} name
 * @param {{ ratio: number, ttftMs?: number, status?: string, baseline?: string | null }} what
 */
function write(name, { ratio, ttftMs = 100, status = 'ok', baseline = 'wllama-2' }) {
  const summary = (/** @type {number} */ value) => ({ min: value, median: value, max: value })
  const tests = {
    tg64: { runs: [], summary: summary(10 * ratio), ratio: { ...summary(ratio), perRound: [ratio] } },
    ttft: { runs: [], summary: summary(ttftMs), ratio: { ...summary(1), perRound: [1] } },
  }
  const system = { id: 'brasa-webgpu', name: 'Brasa', status, notes: [], tests }
  const path = join(folder, name)
  const file = { schemaVersion, baseline, tests: parseTests('tg64,ttft'), systems: [system] }
  writeFileSync(path, JSON.stringify(file))
  return path
}

/** @param {string[]} args */
const compare = (...args) =>
  spawnSync(process.execPath, [fileURLToPath(new URL('bench-compare.mjs', import.meta.url)), ...args], {
    encoding: 'utf8',
  })

test('exits 0 where nothing is slower by more than 20%, 1 where something is', () => {
  const before = write('before.json', { ratio: 1 })
  expect(compare(before, write('same.json', { ratio: 0.85 })).status).toBe(0)
  const { status, stdout, stderr } = compare(before, write('slow.json', { ratio: 0.7 }))
  expect(status).toBe(1)
  expect(stdout).toMatch(/Brasa, Decode, 64 tokens .* x 0\.70 {2}SLOWER/)
  expect(stderr).toContain('1 slower')
  expect(compare(before, write('slow.json', { ratio: 0.7 }), '--threshold', '40').status).toBe(0)
})

test('a system that is no longer well is a regression', () => {
  const before = write('before.json', { ratio: 1 })
  const { status, stdout } = compare(before, write('gone.json', { ratio: 2, status: 'crashed' }))
  expect(status).toBe(1)
  expect(stdout).toContain('no longer measured')
})

test('without a common baseline figures are compared, times the other way round', () => {
  const before = write('before.json', { ratio: 1, baseline: null, ttftMs: 100 })
  expect(compare(before, write('fast.json', { ratio: 1, baseline: null, ttftMs: 50 })).stdout).toContain(
    'x 2.00',
  )
  expect(compare(before, write('late.json', { ratio: 1, baseline: null, ttftMs: 200 })).status).toBe(1)
})

test('what is no result says so', () => {
  const path = join(folder, 'other.json')
  writeFileSync(path, '{}')
  expect(compare(path, path)).toMatchObject({ status: 1, stderr: expect.stringContaining('not a result') })
  expect(compare(path).status).toBe(1)
})
