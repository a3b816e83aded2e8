// @ts-check
import { readFileSync } from 'node:fs'

/**
 * Shaders as a page fetches them: without comments and indentation, which are a third of their bytes.
 * @returns {import('vite').Plugin}
 */
export function shaderText() {
  return {
    name: 'brasa:shader-text',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      const path = /^(.*\.wgsl)\?raw$/.exec(id)?.[1]
      return path && `export default ${JSON.stringify(withoutComments(readFileSync(path, 'utf8')))}`
    },
  }
}

/** WGSL has no strings, so that two slashes always begin a comment. */
const withoutComments = (/** @type {string} */ code) =>
  code
    .split('\n')
    .map((line) => line.replace(/\/\/.*/, '').trim())
    .filter((line) => line !== '')
    .join('\n')
