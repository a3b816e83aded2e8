import { answerRequests, type ServiceWorkerScope } from './service-worker/answer-requests.ts'

/** The service worker as a script of its own. One that an app has already calls `answerRequests` itself. */
const scope = globalThis as unknown as ServiceWorkerScope & {
  skipWaiting(): void
  clients: { claim(): Promise<void> }
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void
}
interface ExtendableEvent {
  waitUntil(work: Promise<unknown>): void
}

scope.addEventListener('install', () => scope.skipWaiting())
scope.addEventListener('activate', (event) => event.waitUntil(scope.clients.claim()))
answerRequests(scope)
