import type { ServiceWorkerScope as RequestScope } from '@brasa/runtime/answer-requests'

/** What of a service worker's global scope is used here: the DOM's types have none. */
export interface ServiceWorkerScope extends RequestScope {
  readonly clients: RequestScope['clients'] & { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
}

export interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void
}

export interface FetchEvent extends ExtendableEvent {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}
