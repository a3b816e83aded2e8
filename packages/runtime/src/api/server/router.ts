import { toBrasaError } from '../../errors.ts'
import { invalidRequest } from '../validation.ts'
import { errorResponse } from './error-response.ts'

export interface RouteContext {
  /** What stands for the star of a path; empty where there is none. */
  readonly name: string
  readonly headers: Headers
  readonly signal: AbortSignal
}

/** Answers with JSON, or with what it makes itself. `body` is the parsed JSON of a POST. */
export type Route = (body: unknown, context: RouteContext) => Promise<Response | object> | Response | object

export interface Routes {
  /** A path that ends in a star takes any name there. */
  readonly [path: string]: { readonly GET?: Route; readonly POST?: Route }
}

export interface RouterOptions {
  readonly routes: Routes
  /** Called once a request, with its route's path. */
  readonly onAnswer: (path: string, status: number) => void
}

const maxBodyBytes = 32 * 1024 * 1024

/** Where a relative address is relative to, outside of a page. */
const nowhere = 'https://brasa.invalid/'

/**
 * A `fetch` that answers from a table of routes, whatever host and folder the address has. Like `fetch`, it rejects only where the
 * signal fired or the arguments make no request; whatever else fails is a response.
 */
export function createRouter({ routes, onAnswer }: RouterOptions): typeof fetch {
  return async (input, init) => {
    const request = requestOf(input, init)
    const { signal } = request
    signal.throwIfAborted()
    const path = new URL(request.url).pathname
    const found = findRoute(routes, path)
    let response: Response
    try {
      response = await answer(request, found)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      response = errorResponse(toBrasaError(error))
    }
    onAnswer(found?.path ?? 'none', response.status)
    const headers = new Headers(response.headers)
    headers.set('x-request-id', requestId(request))
    headers.set('access-control-allow-origin', '*')
    headers.set('access-control-expose-headers', 'x-request-id, retry-after, retry-after-ms')
    const { status, statusText } = response
    return new Response(request.method === 'HEAD' ? null : response.body, { status, statusText, headers })
  }
}

function requestOf(input: RequestInfo | URL, init: RequestInit | undefined): Request {
  if (input instanceof Request) return new Request(input, init)
  const base = globalThis.location?.href ?? nowhere
  return new Request(new URL(String(input), base.startsWith('http') ? base : nowhere), init)
}

interface FoundRoute {
  readonly path: string
  readonly name: string
  readonly methods: Routes[string]
}

function findRoute(routes: Routes, pathname: string): FoundRoute | undefined {
  // The address may have a folder in front.
  const start = Math.max(pathname.indexOf('/v1/'), 0)
  const path = pathname.slice(start).replace(/(?<=.)\/$/, '')
  for (const [known, methods] of Object.entries(routes)) {
    if (known === path) return { path: known, name: '', methods }
    const folder = known.endsWith('*') ? known.slice(0, -1) : undefined
    if (folder === undefined || !path.startsWith(folder)) continue
    return { path: known, name: decoded(path.slice(folder.length)), methods }
  }
  return undefined
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

async function answer(request: Request, found: FoundRoute | undefined): Promise<Response> {
  if (found === undefined) {
    const { pathname } = new URL(request.url)
    return refusal(
      404,
      'unknown_url',
      `There is no ${request.method} ${pathname.slice(0, 80)} here. /openapi.json lists what there is.`,
    )
  }
  const { methods } = found
  const allowed = [...Object.keys(methods), ...(methods.GET ? ['HEAD'] : []), 'OPTIONS'].join(', ')
  if (request.method === 'OPTIONS') {
    const headers = {
      allow: allowed,
      'access-control-allow-methods': allowed,
      'access-control-allow-headers': '*, authorization',
    }
    return new Response(null, { status: 204, headers })
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const route = method === 'GET' || method === 'POST' ? methods[method] : undefined
  if (route === undefined) {
    const response = refusal(
      405,
      'method_not_allowed',
      `${request.method} is not for ${found.path}; it takes ${allowed}.`,
    )
    response.headers.set('allow', allowed)
    return response
  }
  const text = method === 'POST' ? await request.text() : ''
  if (text.length > maxBodyBytes) {
    return refusal(413, 'request_too_large', `The request has more than ${maxBodyBytes} bytes. Send less.`)
  }
  const body = method === 'POST' ? parsedJson(text) : undefined
  const result = await route(body, {
    name: found.name,
    headers: request.headers,
    signal: request.signal,
  })
  return result instanceof Response ? result : Response.json(result)
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalidRequest(`The body is not JSON: ${cause instanceof Error ? cause.message.slice(0, 120) : ''}`)
  }
}

function refusal(status: number, code: string, message: string): Response {
  return Response.json({ error: { message, type: 'invalid_request_error', param: null, code } }, { status })
}

/** The caller's own where it is one, for it may be looked for in logs. */
function requestId(request: Request): string {
  const given = request.headers.get('x-request-id') ?? ''
  return /^[\w.:-]{1,128}$/.test(given) ? given : `req_${crypto.randomUUID().replaceAll('-', '')}`
}
