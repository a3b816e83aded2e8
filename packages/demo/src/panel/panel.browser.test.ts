import { h, render } from 'preact'
import { beforeAll, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'
import { memory, model } from '../state/model.ts'

const engine = {
  model: {
    id: 'small',
    name: 'Small',
    architecture: 'llama',
    quantisation: 'Q4_1',
    contextLength: 2048,
    sizeBytes: 98e6,
  },
  device: {
    backend: 'wasm',
    adapter: 'the CPU, 2 threads',
    reason: 'WebAssembly was 11 times faster than WebGPU here: 5.2 ms against 58 ms for one layer.',
    features: ['simd', 'threads'],
    threads: 2,
    layerTimes: { webgpu: 58, wasm: 5.2 },
    decode: {
      variant: 'fused',
      reason: 'Of the ways that work here it was the fastest.',
      layerMs: { plain: 0.84, fused: 0.42, subgroups: 1.26 },
      refused: {},
    },
  },
  memory: async () => ({ weightBytes: 97e6, kvCacheBytes: 4e6, otherBytes: 2e6 }),
}

const panel = () => document.querySelector('.panel')!
const rows = (of: Element) =>
  Object.fromEntries(
    [...of.querySelectorAll('dt')].map((label) => [
      label.textContent,
      label.nextElementSibling?.textContent ?? undefined,
    ]),
  )
const fold = (name: string) =>
  [...panel().querySelectorAll('details')].find(
    (each) => each.querySelector('summary')?.textContent === name,
  )!

beforeAll(async () => {
  await import('../theme/tokens.css')
  await import('../theme/base.css')
  await import('../controls/controls.css')
  await page.viewport(360, 740)
  model.value = { kind: 'absent' }
  const { Panel } = await import('./panel.tsx')
  render(h(Panel, {}), document.body.appendChild(document.createElement('div')))
})

test('before a model is loaded it has what the browser tells, folded', async () => {
  await expect.element(page.getByText('No model is loaded.')).toBeVisible()
  const browser = fold('Browser and page')
  expect(browser.open).toBe(false)
  await page.getByText('Browser and page').click()
  expect(rows(browser)).toMatchObject({
    Cores: String(navigator.hardwareConcurrency),
    'Cross-origin isolated': crossOriginIsolated ? 'yes' : 'no, so the CPU has one thread',
    'User agent': navigator.userAgent,
  })
  const { usage = 0 } = await navigator.storage.estimate()
  await vi.waitFor(() => expect(rows(fold('Storage')).Used).toMatch(usage === 0 ? /^0 B$/ : /B$/))
})

test('the adapter\u2019s own features and limits are listed', async () => {
  const adapter = await navigator.gpu.requestAdapter()
  await vi.waitFor(() => {
    const graphics = rows(fold('Graphics'))
    expect(graphics.Features?.split(', ')).toEqual([...adapter!.features].sort())
    expect(graphics.maxBindGroups).toBe(String(adapter!.limits.maxBindGroups))
  })
})

test('with a model it says where it runs and why, with the measured times as bars', async () => {
  model.value = { kind: 'ready', engine: engine as never }
  memory.value = await engine.memory()
  await expect.element(page.getByText(engine.device.reason)).toBeVisible()
  const running = rows(page.getByRole('region', { name: 'Running on' }).element())
  expect(running).toMatchObject({ 'Memory now': '103 MB', WebAssembly: '5.2 ms' })
  // Said once: what it runs on, with its threads.
  const cores = navigator.hardwareConcurrency
  expect(running.Threads).toBe(cores === 2 ? undefined : `2 of ${cores} cores`)
  await expect.element(page.getByText('WebAssembly on the CPU, 2 threads', { exact: true })).toBeVisible()
  const bars = (label: string) =>
    [...page.getByRole('figure', { name: label }).element().querySelectorAll<HTMLElement>('.figure-bar')].map(
      (bar) => ({
        text: bar.textContent,
        isChosen: bar.matches('.figure-chosen'),
        width: bar.querySelector('b')!.offsetWidth,
      }),
    )
  const [chosen, other] = bars('Time for one layer, measured here: shorter is faster')
  expect(chosen).toMatchObject({ text: 'WebAssembly5.2 ms', isChosen: true })
  expect(other!.width / chosen!.width).toBeGreaterThan(8)

  // The ways to decode likewise, the fastest first.
  expect(running['Decode variant']).toBe('fused')
  await expect.element(page.getByText(engine.device.decode.reason)).toBeVisible()
  const ways = bars('Ways to decode, measured here: shorter is faster')
  expect(ways).toMatchObject([
    { text: 'fused0.42 ms', isChosen: true },
    { text: 'plain0.84 ms', isChosen: false },
    { text: 'subgroups1.3 ms', isChosen: false },
  ])
  expect(ways[2]!.width / ways[0]!.width).toBeCloseTo(3, 0)
})

test('memory is what the engine says, where its backend computes, and the browser of the scripts', async () => {
  expect(crossOriginIsolated).toBe(true)
  let count = (_: { bytes: number }) => {}
  Object.assign(performance, {
    measureUserAgentSpecificMemory: () => new Promise((resolve) => (count = resolve)),
  })
  ;(fold('Memory').querySelector('summary') as HTMLElement).focus()
  await userEvent.keyboard('{Enter}')
  await expect.element(page.getByText(/^The browser is counting JavaScript/)).toBeVisible()
  expect(rows(fold('Memory'))['JavaScript, page and workers']).toBeUndefined()
  count({ bytes: 12e6 })
  await vi.waitFor(() => expect(rows(fold('Memory'))['JavaScript, page and workers']).toBe('12 MB'))
  await expect.element(page.getByText(/^The browser is counting JavaScript/)).not.toBeInTheDocument()
  expect(rows(fold('Memory'))).toMatchObject({
    Weights: '97 MB',
    'KV cache': '4.0 MB',
    'Working memory': '2.0 MB',
    'On the GPU': '0 B',
    'In WebAssembly': '103 MB',
  })
  await expect.element(page.getByRole('img', { name: /The model holds 103 MB/ })).toBeVisible()
})

test('all of it goes to the clipboard as text', async () => {
  const written: string[] = []
  const write = vi
    .spyOn(navigator.clipboard, 'writeText')
    .mockImplementation(async (text) => void written.push(text))
  await page.getByRole('button', { name: 'Copy as text' }).click()
  await expect.element(page.getByText('Copied')).toBeVisible()
  expect(written[0]).toContain('Model: Small, llama, Q4_1, 98 MB, 2,048 tokens')
  expect(written[0]).toContain('One layer on WebAssembly: 5.2 ms')
  write.mockImplementation(async () => {
    throw new DOMException('No.', 'NotAllowedError')
  })
  await page.getByRole('button', { name: 'Copy as text' }).click()
  await expect.element(page.getByText('The browser did not allow it')).toBeVisible()
  write.mockRestore()
})

test('open or folded, a narrow screen never scrolls sideways', () => {
  for (const each of panel().querySelectorAll('details')) each.open = true
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360)
})
