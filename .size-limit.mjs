// @ts-check
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = fileURLToPath(new URL('packages/runtime/dist', import.meta.url))

/** What is imported for one purpose, by what its file is called; what imports it works without. */
const parts = {
  'ONNX Runtime and models of ONNX': /^(backends-ort|engine-onnx|formats-onnx|ort\.)/,
  'the CPU': /^(backends-wasm|assembly)/,
  'structured output': /^grammar-/,
  'the addresses besides chat': /^api-(responses|server-openapi)/,
  'files that come without a hash': /^(sha2|utils)-/,
  tests: /^backends-reference/,
}

/** @param {string} file */
const isPart = (file) => Object.values(parts).some((pattern) => pattern.test(file))

/**
 * Files with all that they import, at once or later, as far as it is wanted.
 * @param {readonly string[]} entries
 * @param {(file: string) => boolean} isWanted
 */
function withImports(entries, isWanted) {
  const found = new Set(entries)
  for (const file of found) {
    const code = readFileSync(join(dist, file), 'utf8')
    for (const [, imported] of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'`]\.\/([^"'`]+\.js)["'`]/g)) {
      if (imported !== undefined && isWanted(imported)) found.add(imported)
    }
  }
  return [...found].sort().map((file) => join(dist, file))
}

/** ONNX Runtime's own code, and XGrammar's with the worker around it. */
const isOfOthers = (/** @type {string} */ file) => /^(ort\.|matcher-worker)/.test(file)

/** Each is fetched when it is chosen. */
const isBackend = (/** @type {string} */ file) => file.startsWith('backends-')

export default [
  {
    name: 'core: the page, the engine, the tokenizer, engine.fetch',
    path: withImports(['index.js', 'worker.js'], (file) => !isPart(file) && !isBackend(file)),
    gzip: true,
    limit: '120 kB',
  },
  {
    name: 'all that a chat on WebGPU fetches, through engine.fetch or without it',
    path: withImports(['index.js', 'worker.js'], (file) => !isPart(file)),
    gzip: true,
    limit: '132 kB',
  },
  {
    name: 'every script of the package but ONNX Runtime and XGrammar',
    path: readdirSync(dist)
      .filter((file) => file.endsWith('.js') && !isOfOthers(file))
      .map((file) => join(dist, file)),
    gzip: true,
    limit: '270 kB',
  },
]
