import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = fileURLToPath(new URL('gpu-check.mjs', import.meta.url))
const run = (/** @type {string[]} */ ...args) => promisify(execFile)(process.execPath, [script, ...args])

test('runs on the software adapter: right, and every kernel measured', async () => {
  const { stdout } = await run('--software', '--quick')
  expect(stdout).toMatch(/adapter: .*\(software\)/)
  expect(stdout).toMatch(/Q4_0 +off by .*the same tokens: right/)
  expect(stdout).not.toContain('WRONG')
  const lines = stdout.split('\n').filter((line) => line.includes('GB/s'))
  expect(lines).toHaveLength(21)
  for (const line of lines) expect(Number(/([\d.]+) GB\/s/.exec(line)?.[1])).toBeGreaterThanOrEqual(0)
  for (const name of ['read only', 'matvec Q4_1', 'matmul F32', 'rms_norm', 'attention']) {
    expect(stdout).toContain(`  ${name}`)
  }
}, 180_000)

test('says which shapes there are', async () => {
  await expect(run('--shapes', '135M,7B')).rejects.toThrow(/"7B" is none of 135M, 0.5B, 1B, 3B, 8B/)
})
