import { expect, test } from 'vitest'
import { cacheControl, headersOf } from './headers.ts'
import { withHeaders } from './with-headers.ts'

test('a response gets the headers that it lacks, and keeps its own', async () => {
  const response = withHeaders(new Response('text', { status: 201, headers: { 'X-One': 'host' } }), {
    'X-One': 'worker',
    'X-Two': 'worker',
  })
  expect([response.status, response.headers.get('x-one'), response.headers.get('x-two')]).toEqual([
    ...[201, 'host', 'worker'],
  ])
  expect(await response.text()).toBe('text')
})

test('a response without a body, and one that redirects, pass', () => {
  expect(withHeaders(new Response(null, { status: 204 }), { 'X-One': 'worker' }).headers.get('x-one')).toBe(
    'worker',
  )
  const redirect = Response.error()
  expect(withHeaders(redirect, { 'X-One': 'worker' })).toBe(redirect)
})

test('a page speaks with its own origin alone, a worker with those that models come from', () => {
  for (const path of ['', 'index.html', 'bench.html', 'service-worker.js', 'models/models.json']) {
    expect(headersOf(path)['Content-Security-Policy']).toMatch(/^default-src 'self'/)
    expect(headersOf(path)['Content-Security-Policy']).not.toMatch(/connect-src|unsafe-inline|'unsafe-eval'/)
    expect(cacheControl(path)).toBe('no-cache')
  }
  expect(headersOf('assets/worker-1.js')['Content-Security-Policy']).toContain(
    "connect-src 'self' https: http:",
  )
  expect(cacheControl('assets/worker-1.js')).toContain('immutable')
})
