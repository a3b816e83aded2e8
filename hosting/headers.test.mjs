// @ts-check
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cacheControl, headersOf } from '../packages/demo/src/service-worker/headers.ts'
import { root } from '../scripts/command-line.mjs'

test.each(['hosting/nginx.conf', 'hosting/Caddyfile', 'hosting/_headers', 'docs/hosting.md'])(
  '%s says every header as the service worker does',
  (path) => {
    const text = readFileSync(join(root, path), 'utf8')
    for (const kind of ['index.html', 'assets/worker.js']) {
      for (const [name, value] of Object.entries({
        ...headersOf(kind),
        'Cache-Control': cacheControl(kind),
      })) {
        expect(text).toContain(name)
        expect(text).toContain(value)
      }
    }
  },
)
