/** What passes between the page and its service worker, besides requests. */

/** From the page to a worker that waits: be the one that answers now. */
export const takeOver = 'brasa:take-over'

/** A page holds a lock of this name and its own script's address as long as it lives: what that script may load is kept. */
export const shellLock = 'brasa:shell:'
