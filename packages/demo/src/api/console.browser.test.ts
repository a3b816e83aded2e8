import { h, render } from 'preact'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'

/** What the runtime under the page does next: the page is tested, not the engine. */
const fake = vi.hoisted(() => ({
  answer: async (_: Request): Promise<Response> => Response.json({ ok: true }),
  requests: [] as { method: string; path: string; body: string }[],
}))

const paths = {
  '/v1/chat/completions': { post: {} },
  '/v1/models': { get: {} },
  '/v1/models/{model}': { get: {} },
  '/tokenize': { post: {} },
}

vi.mock('@brasa/runtime', async (importOriginal) => ({
  ...(await importOriginal<typeof import('@brasa/runtime')>()),
  listCatalogue: async () => [],
  listStoredModels: async () => [],
  createEngine: async () => ({
    model: { id: 'small/one', name: 'Small', quantisation: 'Q4_1', contextLength: 100, sizeBytes: 98e6 },
    device: { backend: 'wasm', adapter: 'the CPU', reason: 'It was asked for.', features: [] },
    memory: async () => ({ weightBytes: 1e6, kvCacheBytes: 2e6, otherBytes: 3e6 }),
    dispose: async () => {},
    fetch: async (input: string, init?: RequestInit) => {
      const request = new Request(input.startsWith('/') ? `https://brasa.invalid${input}` : input, init)
      const { pathname } = new URL(request.url)
      if (pathname === '/openapi.json') return Response.json({ paths })
      if (pathname === '/metrics') return new Response('brasa_generation_tokens_total 44\n')
      fake.requests.push({ method: request.method, path: pathname, body: await request.clone().text() })
      return fake.answer(request)
    },
  }),
}))

const button = (name: string) => page.getByRole('button', { name, exact: true })
const body = page.getByRole('textbox', { name: 'Body' })
const reply = () => document.querySelector('[aria-labelledby=api-reply]')!

beforeAll(async () => {
  localStorage.clear()
  await import('../theme/tokens.css')
  await import('../theme/base.css')
  await import('../controls/controls.css')
  const { ApiPage } = await import('./api-page.tsx')
  const { model } = await import('../state/model.ts')
  await page.viewport(360, 740)
  model.value = { kind: 'absent' }
  render(h(ApiPage, {}), document.body.appendChild(document.createElement('div')))
})

beforeEach(() => {
  fake.requests.length = 0
})

test('without a model it says so, and its button loads one', async () => {
  await expect.element(page.getByText('No model is loaded')).toBeVisible()
  await button('Load smollm2-135m-instruct').click()
  await expect.element(page.getByRole('heading', { name: 'Request' })).toBeVisible()
  await expect.element(body).toHaveValue(expect.stringContaining('"model": "small/one"'))
})

test('sends the body as it was typed, and shows status, id and the JSON in lines', async () => {
  fake.answer = async () => Response.json({ object: 'chat' }, { headers: { 'x-request-id': 'req_7' } })
  await body.fill('{"messages": []}')
  await userEvent.keyboard('{Control>}{Enter}{/Control}')
  await expect.element(page.getByText('200', { exact: true })).toBeVisible()
  expect(fake.requests).toEqual([{ method: 'POST', path: '/v1/chat/completions', body: '{"messages": []}' }])
  expect(reply().querySelector('pre')?.textContent).toBe('{\n  "object": "chat"\n}')
  await expect.element(page.getByText('req_7').first()).toBeVisible()
  await expect.element(page.getByText('by engine.fetch')).toBeVisible()
})

test('an error of the API is shown as it is, and what is no JSON is sent all the same', async () => {
  const error = { message: 'The body is not JSON.', type: 'invalid_request_error', param: null, code: null }
  fake.answer = async () => Response.json({ error }, { status: 400, statusText: 'Bad Request' })
  await body.fill('{')
  await expect.element(page.getByText('This is not JSON. The API will say so.')).toBeVisible()
  await button('Send').click()
  await expect.element(page.getByText('400 Bad Request')).toBeVisible()
  expect(fake.requests[0]?.body).toBe('{')
  expect(JSON.parse(reply().querySelector('pre')!.textContent!)).toEqual({ error })
})

test('a network that fails is a sentence and a button', async () => {
  fake.answer = async () => {
    throw new TypeError('Failed to fetch')
  }
  await button('Send').click()
  await expect.element(page.getByRole('alert')).toHaveTextContent('No whole response came: Failed to fetch.')
  fake.answer = async () => Response.json({})
  await button('Send again').click()
  await expect.element(page.getByText('200', { exact: true })).toBeVisible()
})

test('a stream is shown as it comes, as text and as events, and Esc stops it', async () => {
  let stopped = false
  fake.answer = async (request) => {
    const encoder = new TextEncoder()
    const chunk = (content: string) =>
      encoder.encode(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`)
    return new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(chunk('Once '))
          controller.enqueue(chunk('upon <b>a</b> time'))
          request.signal.addEventListener('abort', () => {
            stopped = true
            controller.error(request.signal.reason)
          })
        },
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    )
  }
  await button('Stream').click()
  await body.click()
  await userEvent.keyboard('{Control>}{Enter}{/Control}')
  await vi.waitFor(() => expect(reply().querySelector('pre')?.textContent).toBe('Once upon <b>a</b> time'))
  await expect.element(page.getByText('2 events')).toBeVisible()
  await page.getByRole('radio', { name: 'Events' }).click({ force: true })
  await vi.waitFor(() => expect(reply().querySelector('pre')?.textContent).toMatch(/^data: \{"choices"/))
  await userEvent.keyboard('{Escape}')
  await expect.element(page.getByText('Stopped. What had come stays.')).toBeVisible()
  await vi.waitFor(() => expect(stopped).toBe(true))
  await expect.element(button('Send')).toBeVisible()
})

test('the endpoints are those of openapi.json, and each begins with a request that fits', async () => {
  const endpoint = page.getByRole('combobox', { name: 'Endpoint' })
  await endpoint.selectOptions('GET /v1/models/{model}')
  await expect.element(page.getByRole('textbox', { name: 'Address' })).toHaveValue('/v1/models/small%2Fone')
  expect(document.querySelector('textarea')).toBeNull()
  await endpoint.selectOptions('POST /tokenize')
  await expect.element(body).toHaveValue(expect.stringContaining('The sea is calm.'))
  await expect.element(page.getByText(/This address is asked of the engine directly/)).toBeVisible()
})

test('the code follows the request; a narrow screen never scrolls sideways', async () => {
  await button('Chat').click()
  await expect
    .element(page.getByText(/^curl 'https:\/\/brasa\.invalid\/v1\/chat\/completions'/))
    .toBeVisible()
  await page.getByRole('tab', { name: 'curl' }).click()
  await userEvent.keyboard('{ArrowRight}')
  await expect.element(page.getByText(/openai\.chat\.completions\.create/)).toBeVisible()
  await userEvent.keyboard('{ArrowRight}')
  await expect.element(page.getByText(/^const response = await engine\.fetch/)).toBeVisible()
  await button('Tokenize').click()
  await page.getByRole('tab', { name: 'openai' }).click()
  await expect.element(page.getByText(/OpenAI’s client has no call for this/)).toBeVisible()
  expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(360)
})

test('metrics are small figures that are asked for again', async () => {
  const figures = () => page.getByRole('region', { name: 'Metrics' }).element().textContent
  await vi.waitFor(() => expect(figures()).toContain('Answer tokens44'))
})
