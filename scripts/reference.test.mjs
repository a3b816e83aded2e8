// @ts-check
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './command-line.mjs'

const filesOf = (/** @type {string} */ folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .toSorted()
    .map((name) => [name, readFileSync(join(folder, name), 'utf8')])

test('docs/reference is what `npm run docs:reference` writes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'brasa-reference-'))
  try {
    const typedoc = join(root, 'node_modules', 'typedoc', 'bin', 'typedoc')
    execFileSync(process.execPath, [typedoc, '--out', folder, '--logLevel', 'Error'], { cwd: root })
    expect(filesOf(folder)).toEqual(filesOf(join(root, 'docs', 'reference')))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 600_000)
