import { fileURLToPath } from 'node:url'
import { expect, type Page, test } from '@playwright/test'
import { build } from 'esbuild'
import type OpenAI from 'openai'
import { isControlled, loadTimeoutMs, openLoadedChat } from './chat-page.ts'

test.use({ serviceWorkers: 'allow' })

declare const OpenAi: typeof OpenAI

/** The official client as one script, which leaves it in the global scope. */
async function clientScript(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: "import OpenAI from 'openai'; globalThis.OpenAi = OpenAI",
      resolveDir: fileURLToPath(new URL('..', import.meta.url)),
    },
    ...{ bundle: true, write: false, platform: 'browser', format: 'iife', logLevel: 'silent' },
  })
  return outputFiles[0]!.text
}

/** Asks as any page would, with no fetch of its own; the answer as it streams. */
const answerIn = (page: Page) =>
  page.evaluate(async () => {
    const openai = new OpenAi({
      baseURL: `${location.origin}/v1`,
      ...{ apiKey: 'none', dangerouslyAllowBrowser: true, maxRetries: 0 },
    })
    const { data } = await openai.models.list()
    const stream = await openai.chat.completions.create({
      model: data[0]!.id,
      messages: [{ role: 'user', content: 'What is the capital of France?' }],
      ...{ temperature: 0, stream: true },
    })
    const pieces: string[] = []
    for await (const { choices } of stream) pieces.push(choices[0]?.delta.content ?? '')
    return { text: pieces.join(''), isStreamed: pieces.filter(Boolean).length > 1 }
  })

test("another tab reaches this tab's model with the openai client, also once the service worker was stopped", async ({
  page,
  context,
}) => {
  test.setTimeout(2 * loadTimeoutMs)
  await openLoadedChat(page, 'wasm')
  // A page of the app that loads no model of its own.
  const other = await context.newPage()
  await other.goto('/bench.html')
  await isControlled(other)
  await other.evaluate(await clientScript())
  const expected = { text: 'The capital of France is Paris.', isStreamed: true }
  expect(await answerIn(other)).toEqual(expected)

  const devTools = await context.newCDPSession(other)
  const statuses: string[] = []
  devTools.on('ServiceWorker.workerVersionUpdated', ({ versions }) => {
    statuses.push(...versions.map(({ runningStatus }) => runningStatus))
  })
  await devTools.send('ServiceWorker.enable')
  await devTools.send('ServiceWorker.stopAllWorkers')
  await expect.poll(() => statuses.at(-1)).toBe('stopped')
  // It has forgotten who has the engine, and asks.
  expect(await answerIn(other)).toEqual(expected)
  await expect.poll(() => statuses.at(-1)).toBe('running')
})
