import { BrasaError } from '@brasa/runtime'
import { h, render } from 'preact'
import { beforeAll, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'

type Feeds = Record<string, { dims: readonly number[]; data: ArrayLike<number> }>
interface Call {
  signal: AbortSignal
  onProgress: (progress: object) => void
}

/** What the runtime under the page does next: the page is tested, not the engine. */
const fake = vi.hoisted(() => ({
  open: async (_: Call) => {},
  run: async (_: Feeds): Promise<object> => ({}),
  embed: async (_: readonly string[], __: Call) => {},
  opened: [] as unknown[],
  embedded: [] as string[],
  numDisposed: 0,
}))

vi.mock('@brasa/runtime', async (importOriginal) => ({
  ...(await importOriginal<typeof import('@brasa/runtime')>()),
  listCatalogue: async () => [],
  listStoredModels: async () => [],
  createEngine: async () => ({
    dispose: async () => void fake.numDisposed++,
    sessions: {
      create: async (reference: unknown, call: Call) => {
        fake.opened.push(reference)
        await fake.open(call)
        return {
          inputs: [
            { name: 'x', type: 'float32', dims: ['batch', 3] },
            { name: 'rate', type: 'int64', dims: [] },
          ],
          outputs: [{ name: 'y', type: 'float32', dims: ['batch', null] }],
          run: (feeds: Feeds) => fake.run(feeds),
        }
      },
    },
    embeddings: {
      create: async ({ input }: { input: readonly string[] }, call: Call) => {
        await fake.embed(input, call)
        fake.embedded.push(...input)
        return { data: input.map((text) => ({ embedding: vectorOf(text) })) }
      },
    },
  }),
}))

/** Two dimensions of meaning: Paris, and all else. */
const vectorOf = (text: string) =>
  /Paris|France/.test(text) ? Float32Array.of(1, 0) : Float32Array.of(0.28, 0.96)

const button = (name: string) => page.getByRole('button', { name, exact: true })
const results = () => [...document.querySelectorAll('.onnx-ranked li')].map((item) => item.textContent)

function drop(...files: readonly File[]): void {
  const dataTransfer = new DataTransfer()
  for (const file of files) dataTransfer.items.add(file)
  window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }))
}

beforeAll(async () => {
  localStorage.clear()
  await import('../theme/tokens.css')
  await import('../theme/base.css')
  await import('../controls/controls.css')
  const { App } = await import('../app.tsx')
  const root = document.body.appendChild(Object.assign(document.createElement('div'), { id: 'app' }))
  await page.viewport(1280, 800)
  render(h(App, {}), root)
})

test('the tab opens the ONNX part, the address tells, and the chat comes back', async () => {
  await page.getByRole('link', { name: 'ONNX' }).click()
  await expect.element(page.getByRole('heading', { name: 'Run a model' })).toBeVisible()
  expect(location.hash).toBe('#onnx')
  await page.getByRole('link', { name: 'Chat' }).click()
  await expect.element(page.getByRole('textbox', { name: 'Message' })).toBeVisible()
})

test('a dropped file that is no model is said, and the same button opens it again', async () => {
  fake.open = async () => {
    throw new BrasaError('not_an_onnx', { message: 'broken.onnx is not an ONNX model.' })
  }
  drop(new File(['no'], 'broken.onnx'))
  await expect.element(page.getByRole('alert')).toHaveTextContent('broken.onnx is not an ONNX model.')
  fake.open = async () => {}
  await button('Try again').click()
  await expect.element(page.getByText('float32 [batch, 3]')).toBeVisible()
  await expect.element(page.getByText('int64 scalar')).toBeVisible()
  await expect.element(page.getByText('float32 [batch, ?]')).toBeVisible()
  expect(fake.opened).toHaveLength(2)
})

test('a run takes the values and sizes of the form, and shows what came and how long it took', async () => {
  let fed: Feeds = {}
  fake.run = async (feeds) => {
    fed = feeds
    return { y: { type: 'float32', dims: [2, 2], data: Float32Array.of(0.5, -1, 2, 1 / 3) } }
  }
  await page.getByLabelText('batch').fill('2')
  await page.getByLabelText('Fill x with').selectOptions('Typed')
  await page.getByLabelText('Values of x').fill('1, 2, 3')
  await button('Run').click()
  await expect.element(page.getByRole('alert')).toHaveTextContent('"x" takes 6 values, or one for all')
  await page.getByLabelText('Values of x').fill('1, 2, 3, 4, 5, 6')
  await button('Run').click()
  await expect.element(page.getByText('0.5, -1, 2, 0.33333')).toBeVisible()
  await expect.element(page.getByText('float32 [2, 2]')).toBeVisible()
  await expect.element(page.getByText(/^Took [\d.]+ m?s$/)).toBeVisible()
  expect(fed.x?.dims).toEqual([2, 3])
  expect(Array.from(fed.x!.data)).toEqual([1, 2, 3, 4, 5, 6])
})

test('a run that fails or takes too long leaves a model that runs', async () => {
  fake.run = async () => {
    throw new BrasaError('invalid_request', { message: 'The rate is unknown.' })
  }
  await button('Run').click()
  await expect.element(page.getByRole('alert')).toHaveTextContent('The rate is unknown.')
  fake.run = () => new Promise(() => {})
  await button('Run').click()
  await expect.element(button('Stop')).toBeVisible()
  const { numDisposed } = fake
  await userEvent.keyboard('{Escape}')
  await expect.element(page.getByText(/^Stopped/)).toBeVisible()
  expect(fake.numDisposed).toBe(numDisposed + 1)
  fake.run = async () => ({ y: { type: 'float32', dims: [1], data: Float32Array.of(7) } })
  await button('Run').click()
  await expect.element(page.getByText(/^Took/)).toBeVisible()
  expect(fake.opened).toHaveLength(3)
  await button('Close broken.onnx').click()
  await expect.element(page.getByText(/Open an .onnx file/)).toBeVisible()
})

test('the search model is fetched when asked for, can be cancelled, and ranks as the person types', async () => {
  fake.embed = (_, { onProgress }) => {
    onProgress({ phase: 'download', loadedBytes: 12e6, totalBytes: 24e6, cachedBytes: 0 })
    return new Promise(() => {})
  }
  await expect.element(page.getByText(/all-MiniLM-L6-v2 \(23 MB\) is fetched once/)).toBeVisible()
  await page.getByLabelText('Text to search').fill('Bread is baked.\nParis is large.\nBread is baked.\n')
  await expect.element(page.getByText('2 lines')).toBeVisible()
  await button('Load search model').click()
  await expect
    .element(page.getByRole('progressbar', { name: 'Loading all-MiniLM-L6-v2' }))
    .toHaveAttribute('aria-valuenow', '50')
  await button('Cancel').click()
  let arrive = () => {}
  fake.embed = () => new Promise((resolve) => (arrive = resolve))
  await button('Load search model').click()
  // Typed while the model is on its way: it is looked for once that is here.
  await page.getByLabelText('What to look for').fill('capital of France')
  fake.embed = async () => {}
  arrive()
  await vi.waitFor(() =>
    expect(results()).toEqual(['Paris is large.Score 1.00', 'Bread is baked.Score 0.28']),
  )
  // What was read is not read again.
  expect(fake.embedded).toEqual(['Bread is baked.', 'Paris is large.', 'capital of France'])
})

test('a search that fails says so, and goes on', async () => {
  fake.embed = async () => {
    throw new BrasaError('worker_lost', { message: 'The worker was lost. Search again.' })
  }
  await page.getByLabelText('What to look for').fill('bakeries')
  await userEvent.keyboard('{Enter}')
  await expect.element(page.getByRole('alert')).toHaveTextContent('The worker was lost. Search again.')
  fake.embed = async () => {}
  await button('Try again').click()
  await vi.waitFor(() => expect(results()[0]).toBe('Bread is baked.Score 1.00'))
})
