import { type BrowserContext, expect, type Page } from '@playwright/test'

/** A slow machine loads and compiles for a while. */
export const loadTimeoutMs = 240_000
export const answerTimeoutMs = 120_000

/** What this model takes hundreds of tokens over. */
export const longTask = 'Write a long story about a ship and the sea.'

/** Greedy answers, so that a test knows what to expect. To be called before the page is opened. */
export async function answerGreedily(page: Page): Promise<void> {
  await page.addInitScript(() => {
    localStorage.setItem('brasa.settings', JSON.stringify({ temperature: 0 }))
  })
}

/** Opens the chat and loads the default model, on WebGPU unless another choice is named. */
export async function openLoadedChat(page: Page, backend = 'webgpu'): Promise<void> {
  await answerGreedily(page)
  await page.addInitScript((choice) => {
    // Only the first time: a test may choose another.
    if (localStorage.getItem('brasa.backend') === null) {
      localStorage.setItem('brasa.backend', JSON.stringify(choice))
    }
  }, backend)
  await page.goto('/')
  await page.getByRole('button', { name: 'Load model' }).click()
  await expectReady(page)
}

/** Goes to a part of the page that is open, as the address names it. */
export const goTo = (page: Page, part: string): Promise<void> =>
  page.evaluate((hash) => {
    location.hash = hash
  }, part)

/** Waits until a service worker answers for the page. */
export const isControlled = (page: Page): Promise<void> =>
  expect
    .poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state), { timeout: 60_000 })
    .toBe('activated')

/** Makes what was measured on this device say that the GPU is the faster: `auto` takes it from the next load on. */
export async function letGpuWin(page: Page): Promise<void> {
  const numChanged = () =>
    page.evaluate(async () => {
      const settled = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result)
          request.onerror = () => reject(request.error)
        })
      // Opened before it was written to, it would stay without a store.
      const databases = await indexedDB.databases()
      if (!databases.some(({ name }) => name === 'brasa.backend-choice')) return 0
      const database = await settled(indexedDB.open('brasa.backend-choice'))
      try {
        const times = database.transaction('layer-times', 'readwrite').objectStore('layer-times')
        const keys = await settled(times.getAllKeys())
        let numChanged = 0
        for (const key of keys) {
          // Decode variants' times lie there too.
          if (!('webgpu' in (await settled(times.get(key))))) continue
          await settled(times.put({ webgpu: 1, wasm: 2 }, key))
          numChanged++
        }
        return numChanged
      } finally {
        database.close()
      }
    })
  await expect.poll(numChanged, { timeout: 60_000 }).toBeGreaterThan(0)
  await page.reload()
  await expectReady(page)
}

/** Requests for weights from now on, those of workers included. */
export function watchShards(context: BrowserContext): readonly string[] {
  const shards: string[] = []
  context.on('request', (request) => {
    if (/\.(bin|gguf)(\?|$)/.test(request.url())) shards.push(request.url())
  })
  return shards
}

export async function expectReady(page: Page): Promise<void> {
  await expect(page.getByLabel('Model state')).toHaveText('On this device', { timeout: loadTimeoutMs })
}

export async function ask(page: Page, question: string): Promise<void> {
  const box = page.getByLabel('Message')
  await box.fill(question)
  await box.press('Enter')
}

/** The last answer's text once it is complete. */
export async function lastAnswer(page: Page): Promise<string> {
  const answer = page.getByRole('article', { name: 'Answer' }).last()
  await expect(answer).toHaveAttribute('aria-busy', 'false', { timeout: answerTimeoutMs })
  return ((await answer.locator('[data-role=answer]').textContent()) ?? '').trim()
}
