// @ts-check
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/command-line.mjs'

/** The peers' packages as the page finds them; transformers.js with the ONNX Runtime of its own that it was installed with. */
const transformersFolder = join(root, 'node_modules', '@huggingface', 'transformers')
const beside = (/** @type {string} */ name) => join(realpathSync(transformersFolder), '..', '..', name)

/** @returns {Record<string, string>} folders by address */
export const peerFolders = () => ({
  '/packages/wllama/': join(root, 'node_modules', '@wllama', 'wllama', 'esm'),
  '/packages/web-llm/': join(root, 'node_modules', '@mlc-ai', 'web-llm', 'lib'),
  '/packages/transformers/': join(transformersFolder, 'dist'),
  '/packages/onnxruntime-web/': join(beside('onnxruntime-web'), 'dist'),
  '/packages/onnxruntime-common/': join(beside('onnxruntime-common'), 'dist', 'esm'),
})

/** An empty page where bare imports find the packages. */
export const peerPage = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Peers</title>
    <link rel="icon" href="data:," />
    <script type="importmap">
      ${JSON.stringify({
        imports: {
          'onnxruntime-web/webgpu': '/packages/onnxruntime-web/ort.webgpu.bundle.min.mjs',
          'onnxruntime-common': '/packages/onnxruntime-common/index.js',
        },
      })}
    </script>
    <script>globalThis.isPeerPage = true</script>
  </head>
  <body></body>
</html>
`

/**
 * @param {string} name of a package that is installed
 * @param {string} [folder] that needs it, in the repository
 * @returns {string} its version
 */
export function versionOf(name, folder = '.') {
  const path = join(root, folder, 'node_modules', name, 'package.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : 'not installed'
}
