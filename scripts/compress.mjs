// @ts-check
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { formatBytes, root, runAsScript, ScriptError } from './command-line.mjs'

const compressed = new Set(['.html', '.js', '.mjs', '.css', '.json', '.svg', '.wasm', '.webmanifest'])
const minBytes = 1024
/** From here on the highest quality takes minutes for some percent. */
const largeBytes = 2 * 1024 * 1024

/**
 * Writes a .gz and a .br beside every file of a folder that shrinks, for servers that send them as they are.
 * @param {string} folder
 */
export async function compressFolder(folder) {
  let before = 0
  let after = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isFile() || !compressed.has(extname(path))) continue
    if ((await stat(path)).size < minBytes) continue
    const bytes = await readFile(path)
    const quality = bytes.length > largeBytes ? 9 : constants.BROTLI_MAX_QUALITY
    const small = await promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    })
    await writeFile(`${path}.br`, small)
    await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }))
    before += bytes.length
    after += small.length
  }
  return { before, after }
}

await runAsScript(import.meta.url, async ([folder = join(root, 'dist'), ...rest]) => {
  if (rest.length > 0) throw new ScriptError('Give one folder, or none for dist/.')
  const { before, after } = await compressFolder(folder)
  console.log(`${formatBytes(before)} are ${formatBytes(after)} in brotli.`)
})
