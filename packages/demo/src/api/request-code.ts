import type { ApiRequest } from './endpoints.ts'

/** The languages that a request is shown in. */
export type CodeKind = 'curl' | 'openai' | 'fetch'

/** Where the request goes: through the service worker by an address, or by a function inside the page. */
export type Way =
  | { readonly kind: 'worker'; readonly baseUrl: string }
  | { readonly kind: 'engine'; readonly baseUrl: string }

/** A request as code; undefined where OpenAI's client has no call for it, or the body is no JSON. */
export function codeOf(kind: CodeKind, request: ApiRequest, way: Way): string | undefined {
  switch (kind) {
    case 'curl':
      return curlOf(request, way)
    case 'fetch':
      return fetchOf(request, way)
    case 'openai':
      return openAiOf(request, way)
  }
}

/** The whole address: what is not below `/v1` stands beside it. */
export const addressOf = (path: string, { baseUrl }: Way): string =>
  baseUrl.replace(/\/v1$/, '') + (path.startsWith('/') ? path : `/${path}`)

function curlOf({ method, path, body }: ApiRequest, way: Way): string {
  const parsed = parsedBody(body)
  const isStream = isRecord(parsed) && parsed.stream === true
  const lines = [`curl ${isStream ? '-N ' : ''}${shellQuoted(addressOf(path, way))}`]
  if (method === 'POST') {
    lines.push(`-H 'Content-Type: application/json'`, `-d ${shellQuoted(body)}`)
  }
  return lines.join(' \\\n  ')
}

/** In single quotes nothing but the quote itself means anything to a shell. */
const shellQuoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

function fetchOf({ method, path, body }: ApiRequest, way: Way): string {
  const call = way.kind === 'worker' ? 'fetch' : 'engine.fetch'
  const parsed = parsedBody(body)
  const address = sourceOf(addressOf(path, way))
  if (method === 'GET') return `const response = await ${call}(${address})\n${readingOf(path)}`
  const text = parsed === undefined ? sourceOf(body) : `JSON.stringify(${sourceOf(parsed, 1)})`
  const isStream = isRecord(parsed) && parsed.stream === true
  return `const response = await ${call}(${address}, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: ${text},
})
${isStream ? 'for await (const text of response.body.pipeThrough(new TextDecoderStream())) console.log(text)' : readingOf(path)}`
}

const readingOf = (path: string) => `console.log(await response.${path === '/metrics' ? 'text' : 'json'}())`

const openAiCalls: Readonly<Record<string, string>> = {
  '/v1/chat/completions': 'chat.completions.create',
  '/v1/completions': 'completions.create',
  '/v1/responses': 'responses.create',
  '/v1/embeddings': 'embeddings.create',
}

function openAiOf({ method, path, body }: ApiRequest, way: Way): string | undefined {
  const call = openAiCallOf(method, path, body)
  if (call === undefined) return undefined
  const own = way.kind === 'engine' ? '  fetch: engine.fetch,\n' : ''
  return `import OpenAI from 'openai'

const openai = new OpenAI({
  baseURL: ${sourceOf(way.baseUrl)},
  apiKey: 'none',
${own}  dangerouslyAllowBrowser: true,
})
${call}`
}

function openAiCallOf(method: ApiRequest['method'], path: string, body: string): string | undefined {
  if (method === 'GET') {
    if (path === '/v1/models') return 'console.log((await openai.models.list()).data)'
    const id = /^\/v1\/models\/(.+)$/.exec(path)?.[1]
    return id === undefined
      ? undefined
      : `console.log(await openai.models.retrieve(${sourceOf(decoded(id))}))`
  }
  const parsed = parsedBody(body)
  const call = openAiCalls[path]
  if (call === undefined || parsed === undefined) return undefined
  if (isRecord(parsed) && parsed.stream === true) {
    return `const stream = await openai.${call}(${sourceOf(parsed)})
for await (const chunk of stream) console.log(chunk)`
  }
  return `console.log(await openai.${call}(${sourceOf(parsed)}))`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Undefined where it is not JSON. */
export function parsedBody(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const lineWidth = 60

/** JSON as a person writes it in JavaScript: single quotes, bare keys, short things on one line. */
export function sourceOf(value: unknown, depth = 0): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : JSON.stringify(value)
  const isList = Array.isArray(value)
  const parts = isList
    ? value.map((item) => sourceOf(item, depth + 1))
    : Object.entries(value).map(([key, item]) => `${keyOf(key)}: ${sourceOf(item, depth + 1)}`)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (parts.length === 0) return open + close
  const oneLine = isList ? `[${parts.join(', ')}]` : `{ ${parts.join(', ')} }`
  if (oneLine.length + 2 * depth <= lineWidth && !oneLine.includes('\n')) return oneLine
  const indent = '  '.repeat(depth + 1)
  return `${open}\n${parts.map((part) => `${indent}${part},\n`).join('')}${'  '.repeat(depth)}${close}`
}

/** A bare `__proto__` would set the prototype. */
const keyOf = (key: string) =>
  key === '__proto__' ? "['__proto__']" : /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)

const quoted = (text: string) =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
