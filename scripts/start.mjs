// @ts-check
import { exitWithNpm, runAsScript } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureBuilt, ensureInstalled, ensureNode } from './setup.mjs'

await runAsScript(import.meta.url, async () => {
  ensureNode()
  ensureInstalled()
  await fetchModel()
  ensureBuilt()
  // Imported late: the server is a dependency, which a fresh clone has only now.
  const { chosenPort, serve } = await import('./serve.mjs')
  const { url } = await serve(chosenPort())
  exitWithNpm()
  console.log(`\nBrasa is at ${url} (Ctrl+C stops it)`)
})
