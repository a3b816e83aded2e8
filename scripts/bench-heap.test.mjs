// @ts-check
import { expect, test } from 'vitest'
import { openBrowser, openPage } from '../e2e/bench/browser.mjs'
import { keepMemoriesScript, memoryOf } from '../e2e/bench/heap.mjs'
import { servePeers } from '../e2e/bench/peer-server.mjs'

/** A page with a memory, and with a worker that has one too and shares it with two of its own, of which one sleeps. */
const page = `<!doctype html><link rel="icon" href="data:," /><script>
globalThis.held = new WebAssembly.Memory({ initial: 16 })
const start = (code) => new Worker(URL.createObjectURL(new Blob([code])))
start(\`
  const start = \${start}
  const shared = new WebAssembly.Memory({ initial: 160, maximum: 160, shared: true })
  globalThis.held = [shared, Array.from({ length: 100000 }, (_, i) => ({ i }))]
  const thread = start('onmessage = ({ data }) => { globalThis.held = data; postMessage(0) }')
  const sleeper = start('onmessage = ({ data }) => { postMessage(0); Atomics.wait(new Int32Array(data.buffer), 0, 0) }')
  let numReady = 0
  thread.onmessage = sleeper.onmessage = () => { if (++numReady === 2) postMessage(0) }
  thread.postMessage(shared)
  sleeper.postMessage(shared)
\`).onmessage = () => { globalThis.isReady = true }
</script>`

test('memory is of the page, its workers and theirs; what threads share counts once, and one that sleeps holds up nothing', async () => {
  const server = await servePeers({ page, folders: {}, files: {} })
  const browser = await openBrowser({ gpu: false, headed: false, args: [] }, keepMemoriesScript)
  try {
    await openPage(browser.page, server.url, 'isReady')
    const { jsHeapBytes = 0, wasmHeapBytes, processBytes } = await memoryOf(browser)
    expect(wasmHeapBytes).toBe((160 + 16) * 65_536)
    // A hundred thousand objects of a worker: more than the page by itself has.
    expect(jsHeapBytes).toBeGreaterThan(2e6)
    if (process.platform === 'linux') expect(processBytes).toBeGreaterThan(jsHeapBytes)
  } finally {
    await browser.close()
    await server.close()
  }
})
