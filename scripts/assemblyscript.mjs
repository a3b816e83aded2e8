// @ts-check
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import asc from 'assemblyscript/asc'

/** What the kernels of packages/runtime/assembly are compiled for; `?wasm=NAME` behind an import of index.ts chooses one. */
const featureSets = {
  plain: 'simd,threads',
  relaxed: 'simd,threads,relaxed-simd',
}

/**
 * Compiles AssemblyScript that is imported with `?wasm=plain` or `?wasm=relaxed` to a WebAssembly module, whose bytes are the
 * import, as base64: kernels are small, and a module that needs no address works in every bundler and offline.
 * @returns {import('vite').Plugin}
 */
export function assemblyScript() {
  return {
    name: 'brasa:assemblyscript',
    enforce: 'pre',
    async load(id) {
      const match = /^(.*\.ts)\?wasm=(\w+)$/.exec(id)
      if (match === null) return
      const [, entry = '', featureSet = ''] = match
      const { bytes, files } = await compile(entry, /** @type {keyof typeof featureSets} */ (featureSet))
      for (const file of files) this.addWatchFile(file)
      return `export const base64 = ${JSON.stringify(Buffer.from(bytes).toString('base64'))}`
    },
  }
}

/**
 * @param {string} entry
 * @param {keyof typeof featureSets} featureSet
 */
export async function compile(entry, featureSet) {
  const folder = dirname(entry)
  /** @type {Uint8Array | undefined} */
  let bytes
  /** @type {string[]} */
  const files = []
  const { error, stderr } = await asc.main(
    [
      'index.ts',
      ...['--outFile', 'kernels.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort='],
      ...['--enable', featureSets[featureSet], '--importMemory', '--sharedMemory'],
      ...['--initialMemory', '1', '--maximumMemory', '65536'],
    ],
    {
      readFile(name) {
        try {
          const path = join(folder, name)
          const text = readFileSync(path, 'utf8')
          files.push(path)
          return text
        } catch {
          return null
        }
      },
      writeFile(name, contents) {
        if (name.endsWith('.wasm')) bytes = /** @type {Uint8Array} */ (contents)
      },
      listFiles: () => [],
    },
  )
  if (error !== null || bytes === undefined) {
    throw new Error(`The WASM kernels do not compile for ${featureSet}:\n${stderr.toString()}`)
  }
  return { bytes, files }
}
