import { h, render } from 'preact'
import { beforeAll, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'
import type { BenchResults } from '../../../../e2e/bench/schema.mjs'
import { results } from './bench-state.ts'

/** What the runtime under the page does: the page is tested, not the engine. */
const fake = vi.hoisted(() => ({
  loads: [] as string[],
  tokenMs: 1,
  failsOn: undefined as string | undefined,
}))

vi.mock('@brasa/runtime', async (importOriginal) => ({
  ...(await importOriginal<typeof import('@brasa/runtime')>()),
  createEngine: async ({ backend, onProgress }: { backend: string; onProgress: (p: object) => void }) => {
    fake.loads.push(backend)
    onProgress({ phase: 'compile', loadedBytes: 0, totalBytes: 0, cachedBytes: 0 })
    if (backend === fake.failsOn) throw new Error('<b>No adapter</b>')
    return {
      model: { id: 'small', name: 'Small', quantisation: 'Q4_1', contextLength: 2048, sizeBytes: 98_000_000 },
      device: { backend, adapter: 'test adapter', reason: 'It is the only one.' },
      memory: async () => ({ weightBytes: 1e6, kvCacheBytes: 2e6, otherBytes: 3e6 }),
      dispose: async () => {},
      completions: {
        create: async (
          { max_tokens, prompt }: { max_tokens: number; prompt: string },
          { signal }: { signal: AbortSignal },
        ) =>
          (async function* () {
            for (let token = 1; token <= max_tokens; token++) {
              await new Promise((resolve) => setTimeout(resolve, fake.tokenMs))
              if (signal.aborted) throw new Error('stopped')
              const usage = { prompt_tokens: prompt.trim().split(' ').length, completion_tokens: token }
              yield { choices: [{ tokens: [token], text: 'x' }], ...(token === max_tokens && { usage }) }
            }
          })(),
      },
    }
  },
}))

const choose = (name: string) => userEvent.click(page.getByRole('checkbox', { name, exact: true }))
const runButton = page.getByRole('button', { name: 'Run', exact: true })
const ended = (timeout = 20_000) => expect.element(runButton, { timeout }).toBeEnabled()

beforeAll(async () => {
  await import('../theme/tokens.css')
  await import('../theme/base.css')
  await import('../controls/controls.css')
  await page.viewport(360, 740)
  const { BenchPage } = await import('./bench-page.tsx')
  const place = document.createElement('div')
  document.body.append(place)
  render(h(BenchPage, {}), place)
  await choose('Prefill, 128 tokens')
})

test('measures what is chosen, with a live chart, at a phone\u2019s width', async () => {
  await userEvent.click(runButton)
  await expect.element(page.getByRole('progressbar', { name: 'Benchmark' })).toBeVisible()
  await vi.waitFor(() => expect(document.querySelector('.bench-live canvas')).not.toBeNull(), 10_000)
  await ended()
  const measured = results.value as BenchResults
  const [system] = measured.systems
  expect(system).toMatchObject({ id: 'brasa-webgpu', status: 'ok', device: 'test adapter' })
  expect(system?.tests.tg64?.runs.map(({ round }) => round)).toEqual([1, 2, 3])
  expect(system?.tests.tg64?.runs[0]).toMatchObject({ promptTokens: 16, answerTokens: 64 })
  expect(system?.tests.pp128).toBeUndefined()
  expect(system?.tests.load?.runs).toHaveLength(3)
  await expect.element(page.getByRole('row', { name: /Decode, 64 tokens .*tokens\/s/ })).toBeVisible()
  expect(document.querySelector('.bench-share')?.textContent).toMatch(/tg64 [\d.,]+ tokens\/s/)
  await expect.element(page.getByRole('button', { name: 'Copy results' })).toBeVisible()
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360)
})

test('one that fails is a row that says so, in text, and the other goes on', async () => {
  fake.failsOn = 'webgpu'
  await choose('CPU (ONNX Runtime)')
  await userEvent.click(runButton)
  await ended()
  fake.failsOn = undefined
  await expect.element(page.getByText('<b>No adapter</b>', { exact: true })).toBeVisible()
  expect(results.value?.systems.map(({ status }) => status)).toEqual(['failed', 'ok'])
})

test('Stop ends a run at once and keeps what was measured', async () => {
  fake.tokenMs = 20
  await userEvent.click(runButton)
  await vi.waitFor(() => expect(results.value?.systems).toHaveLength(1), 10_000)
  await userEvent.click(page.getByRole('button', { name: 'Stop' }))
  await ended(2_000)
  expect(results.value?.systems.map(({ id }) => id)).toEqual(['brasa-webgpu'])
  await expect.element(page.getByText('Download JSON')).toBeVisible()
})
