/**
 * What passes between the service worker and the page that has the engine. A request has a port of its own, so that each side
 * notices what the other does with it; the answer's body is pulled chunk by chunk, so that a slow reader stalls only itself.
 */

/** From the page, when it begins to answer, and when it is asked who does. */
export interface HereMessage {
  readonly type: 'brasa:here'
  /** A Web Lock that the page holds as long as it lives. */
  readonly lifeLock: string
}

/** From the service worker to all pages. */
export interface WhoMessage {
  readonly type: 'brasa:who'
}

/** From the service worker to the page that answers, with a port. */
export interface RequestMessage {
  readonly type: 'brasa:request'
  readonly url: string
  readonly method: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: ArrayBuffer | undefined
}

/** On the port, from the page. */
export type AnswerMessage =
  | {
      readonly type: 'head'
      readonly status: number
      readonly headers: readonly (readonly [string, string])[]
    }
  | { readonly type: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'end' }
  | { readonly type: 'failed'; readonly message: string }

/** On the port, from the service worker. */
export type AskMessage = { readonly type: 'pull' } | { readonly type: 'cancel' }

/**
 * Asks for the head of a whole answer as soon as it is accepted, ahead of its body: Chromium tells a service worker that a request
 * was aborted by cancelling the body of the response, and by nothing else.
 */
export const earlyHeadHeader = 'x-brasa-early-head'

/** Held by the page that answers: another takes over when it is gone. */
export const engineLock = 'brasa:engine'

/** Of the paths below the scope that are answered. */
export const apiPath = 'v1/'

/** Whether a message is one of these. Pages and workers get messages from others too. */
export function isMessage<T extends { readonly type: string }>(data: unknown, type: T['type']): data is T {
  return typeof data === 'object' && data !== null && (data as { type?: unknown }).type === type
}
