// @ts-check
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { htmlOf } from './bench-html.mjs'
import { hostile, sampleResults as results } from './bench-sample-results.mjs'

test('whatever a results file names, it stays text', () => {
  const report = htmlOf(results)
  expect(report).not.toContain('<script>alert')
  expect(report).not.toContain('<img')
  // Its own three, each closed once.
  expect(report.match(/<script/g)).toHaveLength(3)
  expect(report.match(/<\/script/g)).toHaveLength(3)
  expect(report).toContain('&lt;/title&gt;&lt;/script&gt;')
})

test('every system has its row and every flag its words', () => {
  const report = htmlOf(results)
  for (const { name } of results.systems.filter(({ name }) => name !== hostile)) {
    expect(report).toMatch(new RegExp(`<th scope="row">${name}`))
  }
  for (const words of ['wrong output', 'crashed', 'hung', 'out of reach', 'ran on the CPU', 'failed']) {
    expect(report).toContain(`>${words}</span>`)
  }
  expect(report).toContain('Loading was not done after 300 s.')
  expect(report).toContain('9.30 ×')
  expect(report).toContain('42%')
  expect(report).toContain('236 of 240')
  expect(report).toContain('Ratios to llama.cpp native')
  expect(report).toContain('a token of ctx2000 costs 1.37 (1.23–1.51) times one of ctx100')
  expect(report).toContain('busy, %')
})

test('it asks no network for anything', () => {
  const report = htmlOf(results)
  expect(report).not.toMatch(/(?:src|href)="(?!data:)/)
  expect(report).not.toMatch(/@import|url\((?!data:)/)
  expect(report).toContain('The MIT License')
})

test('without a baseline there are speeds and no ratios', () => {
  const report = htmlOf({ ...results, baseline: null, otherBaselines: [] })
  expect(report).not.toContain('<h2>Ratios')
  expect(report).toContain('<h2>Speed</h2>')
})

test('the command writes the report of a results file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'brasa-report-'))
  try {
    const [from, to] = [join(folder, 'results.json'), join(folder, 'report.html')]
    writeFileSync(from, JSON.stringify(results))
    const script = fileURLToPath(new URL('bench-html.mjs', import.meta.url))
    execFileSync(process.execPath, [script, from, to], { stdio: 'ignore' })
    expect(readFileSync(to, 'utf8')).toBe(htmlOf(results))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
