/**
 * The headers that the page wants of its host. The service worker adds them where the host cannot; vite.config.ts, the nginx
 * configuration and docs/hosting.md say the same, and hosting/headers.test.mjs holds them to it.
 */

/** Cross-origin isolation, for shared memory and precise clocks: the page loads nothing from other origins. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
}

/** As far as a `<meta>` can say it: the page itself speaks with its own origin alone, whatever an answer holds. */
export const metaPolicy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

const pagePolicy = `${metaPolicy}; frame-ancestors 'none'`

/**
 * A worker has the policy of its own script's headers, not of the page. The engine's fetches models from where a person says,
 * and never sees a document.
 */
const workerPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self' https: http:",
].join('; ')

const pageHeaders: Readonly<Record<string, string>> = {
  ...isolation,
  'Content-Security-Policy': pagePolicy,
}
const assetHeaders: Readonly<Record<string, string>> = {
  ...isolation,
  'Content-Security-Policy': workerPolicy,
}

/** Files under assets/ carry a hash of their content in their names and never change; all else is asked for again. */
const isHashed = (path: string): boolean => path.startsWith('assets/')

export const cacheControl = (path: string): string =>
  isHashed(path) ? 'public, max-age=31536000, immutable' : 'no-cache'

/** What a host sends with a file of the build, by its path in the build's folder. */
export const headersOf = (path: string): Readonly<Record<string, string>> =>
  isHashed(path) ? assetHeaders : pageHeaders
