import { BrasaError } from '@brasa/runtime'
import { h, render } from 'preact'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'

interface LoadOptions {
  backend: string
  signal: AbortSignal
  onProgress: (progress: object) => void
  onWarning: (warning: { code: string; message: string }) => void
}

const onGpu = { backend: 'webgpu', adapter: 'test adapter', reason: 'It is the only one.', features: [] }

/** What the runtime under the page does next: the page is tested, not the engine. */
const fake = vi.hoisted(() => ({
  load: async (_: LoadOptions) => {},
  loads: [] as LoadOptions[],
  device: {} as Record<string, unknown>,
  answer: async function* (_: AbortSignal): AsyncGenerator<string | { thought: string }> {},
  requests: [] as { messages: { role: string; content: string }[] }[],
}))

vi.mock('@brasa/runtime', async (importOriginal) => ({
  ...(await importOriginal<typeof import('@brasa/runtime')>()),
  listCatalogue: async () => [
    { id: 'smollm2-135m-instruct', name: 'Small', sizeBytes: 98_000_000, licence: 'MIT' },
  ],
  listStoredModels: async () => [],
  removeStoredModel: async () => {},
  createEngine: async (options: Parameters<typeof fake.load>[0]) => {
    fake.loads.push(options)
    await fake.load(options)
    return {
      model: { id: 'small', name: 'Small', quantisation: 'Q4_1', contextLength: 100, sizeBytes: 98_000_000 },
      get device() {
        return fake.device
      },
      memory: async () => ({ weightBytes: 1e6, kvCacheBytes: 2e6, otherBytes: 3e6 }),
      dispose: async () => {},
      chat: { completions: { create } },
    }
  },
}))

async function create(request: (typeof fake.requests)[number], { signal }: { signal: AbortSignal }) {
  fake.requests.push(request)
  return (async function* () {
    let tokens = 0
    for await (const part of fake.answer(signal)) {
      tokens += 1
      const delta = typeof part === 'string' ? { content: part } : { reasoning_content: part.thought }
      yield { choices: [{ delta, finish_reason: null }] }
    }
    yield {
      choices: [{ delta: {}, finish_reason: signal.aborted ? 'abort' : 'stop' }],
      usage: { prompt_tokens: 80, completion_tokens: tokens, total_tokens: 80 + tokens },
      timings: { ttftMs: 310, prefillTokensPerSecond: 50, decodeTokensPerSecond: 20 },
    }
  })()
}

const box = page.getByRole('textbox', { name: 'Message' })
const send = page.getByRole('button', { name: 'Send' })
const answer = () => [...document.querySelectorAll<HTMLElement>('[data-role="answer"]')].at(-1)

beforeAll(async () => {
  localStorage.clear()
  await import('./theme/tokens.css')
  await import('./theme/base.css')
  await import('./controls/controls.css')
  const { App } = await import('./app.tsx')
  const { openPage } = await import('./state/model.ts')
  const { listenForKeys } = await import('./keys/listen.ts')
  const root = document.body.appendChild(Object.assign(document.createElement('div'), { id: 'app' }))
  await page.viewport(1280, 800)
  render(h(App, {}), root)
  listenForKeys()
  await openPage()
})

beforeEach(async () => {
  fake.load = async () => {}
  fake.answer = async function* () {
    yield 'The capital of France '
    yield 'is Paris.'
  }
  fake.requests.length = 0
  fake.loads.length = 0
  fake.device = onGpu
  const { loadModel, model } = await import('./state/model.ts')
  const { startChat } = await import('./state/chats.ts')
  if (model.value.kind !== 'absent') await loadModel('smollm2-135m-instruct')
  startChat()
})

test('a first visit fetches nothing, says how much it would be, and loads when asked to', async () => {
  let release = () => {}
  fake.load = async ({ onProgress }) => {
    onProgress({
      phase: 'download',
      loadedBytes: 49e6,
      totalBytes: 98e6,
      bytesPerSecond: 7e6,
      secondsLeft: 7,
      cachedBytes: 0,
    })
    await new Promise<void>((resolve) => (release = resolve))
  }
  await expect.element(page.getByText(/98 MB.*Nothing you type leaves the device/)).toBeVisible()
  await page.getByRole('button', { name: 'Load model' }).click()
  await expect
    .element(page.getByRole('progressbar', { name: 'Loading the model' }))
    .toHaveAttribute('aria-valuenow', '50')
  await expect.element(page.getByText('49 of 98 MB · 7.0 MB/s')).toBeVisible()
  release()
  await expect.element(page.getByRole('heading', { name: 'Ask something' })).toBeVisible()
})

test('a load that is cancelled goes back to the offer', async () => {
  fake.load = ({ signal }) =>
    new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new BrasaError('aborted', { message: 'Stopped.' }))),
    )
  const { loadModel } = await import('./state/model.ts')
  const loading = loadModel('smollm2-135m-instruct')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await loading
  await page.getByRole('button', { name: 'Load model' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  fake.load = async () => {}
  await page.getByRole('button', { name: 'Load model' }).click()
  await expect.element(page.getByRole('heading', { name: 'Ask something' })).toBeVisible()
})

test('without WebGPU the page says how to turn it on', async () => {
  fake.load = async () => {
    throw new BrasaError('webgpu_unavailable', { message: 'This browser has no WebGPU.' })
  }
  const { loadModel } = await import('./state/model.ts')
  await loadModel('smollm2-135m-instruct')
  await expect.element(page.getByText('This browser has no WebGPU.')).toBeVisible()
  await expect.element(page.getByText(/chrome:\/\/flags/)).toBeVisible()
  await expect.element(page.getByRole('button', { name: 'Try again' })).toBeVisible()
})

test('a host that is out of reach is no network, though the device has one, wherever the page says so', async () => {
  const { loadModel } = await import('./state/model.ts')
  const { checkConnection } = await import('./offline/connection.ts')
  fake.load = async () => {
    throw new BrasaError('network_error', { message: 'The server did not answer.' })
  }
  const unreachable = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('Failed to fetch'))
  expect(navigator.onLine).toBe(true)
  await loadModel('smollm2-135m-instruct')
  await expect.element(page.getByRole('heading', { name: 'You are offline' })).toBeVisible()
  await expect
    .element(page.getByText(/Other models cannot be fetched|No model is on this device/))
    .toBeVisible()
  const { facts } = await import('./panel/device-state.ts')
  expect(facts.value.isOnline).toBe(false)
  unreachable.mockRestore()
  await checkConnection()
  await expect.element(page.getByRole('heading', { name: 'The connection broke off' })).toBeVisible()
  expect(facts.value.isOnline).toBe(true)
})

test('a person chooses where the model runs; it is loaded again there, and the choice is remembered', async () => {
  const { backend, reviveBackend } = await import('./state/backend.ts')
  const choice = page.getByRole('combobox', { name: 'Run on' })
  await expect.element(choice).toHaveValue('auto')
  fake.device = {
    backend: 'ort',
    adapter: '2 threads',
    reason: 'ONNX Runtime was asked for.',
    features: [],
    linears: { format: 'int8', weightBytes: 106e6, relativeError: 0.0123 },
  }
  await choice.selectOptions('CPU (ONNX Runtime)')
  await expect.element(page.getByText('ONNX Runtime on 2 threads', { exact: true })).toBeVisible()
  await expect.element(page.getByText('int8, 106 MB, 1.2 % off')).toBeVisible()
  expect(fake.loads.map((options) => options.backend)).toEqual(['auto', 'ort'])
  expect(reviveBackend(JSON.parse(localStorage.getItem('brasa.backend')!))).toBe('ort')
  expect(reviveBackend('something else')).toBe('auto')
  await choice.selectOptions('CPU (WebAssembly)')
  await vi.waitFor(() => expect(fake.loads.at(-1)?.backend).toBe('wasm'))
  await choice.selectOptions('Automatic')
  await vi.waitFor(() => expect(fake.loads.at(-1)?.backend).toBe('auto'))
  expect(backend.value).toBe('auto')
})

test('a WebGPU that was asked for and is not there can be left for the CPU', async () => {
  fake.load = async ({ backend }) => {
    if (backend !== 'wasm')
      throw new BrasaError('webgpu_unavailable', { message: 'This browser has no WebGPU.' })
  }
  const { runOn } = await import('./state/model.ts')
  await runOn('webgpu')
  await page.getByRole('button', { name: 'Run on the CPU' }).click()
  await expect.element(page.getByRole('heading', { name: 'Ask something' })).toBeVisible()
  fake.load = async () => {}
  await runOn('auto')
})

test('an engine that moves to another backend in mid-answer says so, and the answer goes on', async () => {
  fake.answer = async function* () {
    yield 'Half an'
    fake.device = { backend: 'wasm', adapter: '2 threads', reason: 'The GPU was lost.', features: [] }
    fake.loads.at(-1)!.onWarning({ code: 'backend_changed', message: 'WebAssembly goes on from here.' })
    yield ' answer.'
  }
  await box.fill('Hello')
  await send.click()
  await vi.waitFor(() => expect(answer()?.dataset.state).toBe('done'))
  expect(answer()?.textContent).toBe('Half an answer.')
  await expect.element(page.getByText('WebAssembly goes on from here.')).toBeVisible()
  await expect.element(page.getByText('The GPU was lost.')).toBeVisible()
  await expect.element(page.getByText(/^WebAssembly on 2 threads\. /)).toBeVisible()
  await expect.element(page.getByLabelText('Model state')).toHaveTextContent('On this device')
  await page.getByRole('button', { name: 'Understood' }).click()
})

test('an answer is shown as it is, with what was measured, and Again shows another in its place', async () => {
  await box.fill('What is the capital of France?')
  await userEvent.keyboard('{Enter}')
  await vi.waitFor(() => expect(answer()?.dataset.state).toBe('done'))
  expect(answer()?.textContent).toBe('The capital of France is Paris.')
  await expect.element(page.getByText('First after 0.31 s')).toBeVisible()
  await expect.element(page.getByText('82 of 100 tokens')).toBeVisible()
  fake.answer = async function* () {
    yield 'Paris.'
  }
  await page.getByRole('button', { name: 'Again' }).click()
  await vi.waitFor(() => expect(answer()?.textContent).toBe('Paris.'))
  expect(document.querySelectorAll('[data-role="answer"]')).toHaveLength(1)
  expect(fake.requests.at(-1)?.messages).toEqual([
    { role: 'user', content: 'What is the capital of France?' },
  ])
})

test('a thought is folded above its answer, opens by keys, and is not sent back', async () => {
  let goOn = () => {}
  fake.answer = async function* () {
    yield { thought: 'The capital of **France**' }
    await new Promise<void>((resolve) => (goOn = resolve))
    yield { thought: ' is Paris.' }
    yield 'Paris.'
  }
  await box.fill('What is the capital of France?')
  await send.click()
  await expect.element(page.getByText('Thinking…')).toBeVisible()
  goOn()
  await vi.waitFor(() => expect(answer()?.dataset.state).toBe('done'))
  expect(answer()?.textContent).toBe('Paris.')
  const summary = page.getByText(/^Thought for 1 s$/)
  const thought = page.getByText('The capital of France is Paris.')
  await expect.element(thought).not.toBeVisible()
  ;(summary.element() as HTMLElement).focus()
  await userEvent.keyboard('{Enter}')
  await expect.element(thought).toBeVisible()
  await userEvent.keyboard('{Enter}')
  await expect.element(thought).not.toBeVisible()
  fake.answer = async function* () {
    yield 'Berlin.'
  }
  await box.fill('And of Germany?')
  await send.click()
  await vi.waitFor(() => expect(answer()?.textContent).toBe('Berlin.'))
  expect(fake.requests.at(-1)?.messages[1]).toEqual({ role: 'assistant', content: 'Paris.' })
})

test('an answer that ends in its thought shows the thought alone', async () => {
  fake.answer = async function* () {
    yield { thought: 'Let me see' }
  }
  await box.fill('Think')
  await send.click()
  await vi.waitFor(() => expect(answer()?.dataset.state).toBe('done'))
  expect(answer()?.hidden).toBe(true)
  await expect.element(page.getByText(/^Thought for 1 s$/)).toBeVisible()
})

test('Esc stops the answer and keeps its words; Up asks the question in other words', async () => {
  fake.answer = async function* (signal) {
    yield 'Once upon'
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
  }
  await box.fill('Tell me a story')
  await send.click()
  await vi.waitFor(() => expect(answer()?.textContent).toBe('Once upon'))
  await expect.element(page.getByRole('button', { name: 'Stop' })).toBeVisible()
  await userEvent.keyboard('{Escape}')
  await vi.waitFor(() => expect(answer()?.dataset.state).toBe('stopped'))
  fake.answer = async function* () {
    yield 'A short one.'
  }
  await box.click()
  await userEvent.keyboard('{ArrowUp}')
  const editor = page.getByRole('textbox', { name: 'Question in other words' })
  await expect.element(editor).toHaveValue('Tell me a story')
  await expect.element(editor).toHaveFocus()
  await userEvent.keyboard('{Escape}')
  await expect.element(editor).not.toBeInTheDocument()
  await box.click()
  await userEvent.keyboard('{ArrowUp}, briefly{Enter}')
  await vi.waitFor(() => expect(answer()?.textContent).toBe('A short one.'))
  expect(fake.requests.at(-1)?.messages).toEqual([{ role: 'user', content: 'Tell me a story, briefly' }])
})

test('when the device is lost in mid-answer, the words and the question stay and one button brings it back', async () => {
  fake.answer = async function* () {
    yield 'Half an'
    throw new BrasaError('device_lost', { message: 'The GPU was lost. Reload the model.' })
  }
  await box.fill('Hello')
  await send.click()
  await vi.waitFor(() => expect(answer()?.dataset.state).toBe('failed'))
  expect(answer()?.textContent).toBe('Half an')
  await expect.element(page.getByText('The GPU was lost. Reload the model.')).toBeVisible()
  fake.answer = async function* () {
    yield 'Whole.'
  }
  await page.getByRole('button', { name: 'Reload model' }).click()
  await vi.waitFor(() => expect(answer()?.textContent).toBe('Whole.'))
})

test('a chat that nearly fills the context says so', async () => {
  fake.answer = async function* () {
    for (let index = 0; index < 8; index++) yield 'word '
  }
  await box.fill('Fill it')
  await send.click()
  await expect.element(page.getByText(/nearly as long as the model can hold: 88 of 100 tokens/)).toBeVisible()
})

test('a setting can be typed letter by letter, and one out of range says so and changes nothing', async () => {
  const { settings } = await import('./state/settings.ts')
  const penalty = page.getByRole('spinbutton', { name: 'Repetition penalty' })
  await penalty.click()
  await userEvent.keyboard('{Control>}a{/Control}1.07')
  await expect.element(penalty).toHaveValue(1.07)
  expect(settings.value.repetitionPenalty).toBe(1.07)
  const topP = page.getByRole('spinbutton', { name: 'Top p' })
  const before = settings.value.topP
  await topP.fill('7')
  await expect.element(page.getByText('Between 0.05 and 1.')).toBeVisible()
  expect(settings.value.topP).toBe(before)
  await box.click()
  await expect.element(topP).toHaveValue(before)
})
