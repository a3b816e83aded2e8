import { answerRequests } from '@brasa/runtime/answer-requests'
import { headersOf } from './headers.ts'
import { takeOver } from './messages.ts'
import type { ServiceWorkerScope } from './scope.ts'
import { createShell, type ShellFile } from './shell.ts'
import { withHeaders } from './with-headers.ts'

/** The one service worker of the app: it keeps the app's files, adds headers that the host does not send, and answers v1/. */
declare const self: ServiceWorkerScope & { readonly __WB_MANIFEST: readonly ShellFile[] }

const scopeUrl = self.registration.scope
const shell = createShell(scopeUrl, self.__WB_MANIFEST)

self.addEventListener('install', (event) => shell.install(event))
self.addEventListener('activate', (event) => {
  event.waitUntil(shell.tidy().then(() => self.clients.claim()))
})

// A page that is open goes on with the version it began with until its person says otherwise.
self.addEventListener('message', ({ data }) => {
  if (data === takeOver) void self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET' || !request.url.startsWith(scopeUrl)) return
  const path = request.url.slice(scopeUrl.length).replace(/[?#].*$/s, '')
  if (path.startsWith('v1/')) return
  const answer = shell.answer(event, path)
  if (answer === undefined) return
  event.respondWith(answer.then((response) => withHeaders(response, headersOf(path))))
  if (request.mode === 'navigate') event.waitUntil(shell.tidy())
})

answerRequests(self)
