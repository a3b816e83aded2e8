// @ts-check
import { withDeadline } from './system.mjs'

/**
 * @typedef {Pick<import('./browser.mjs').Browser, 'page' | 'version' | 'close'>} ProbeBrowser
 */

const closeMs = 15_000

/**
 * The browser of what is no system: it says which adapter there is and what the device can read. It may hang or lose its GPU like
 * any other; the next question gets a new one then.
 * @param {() => Promise<ProbeBrowser>} open
 */
export function createProbe(open) {
  /** @type {Promise<ProbeBrowser> | undefined} */
  let opening
  const close = async () => {
    const closing = opening?.then((browser) => browser.close())
    opening = undefined
    if (closing !== undefined) await withDeadline(closing, closeMs, 'Closing').catch(() => {})
  }
  return {
    /**
     * @template T
     * @param {string} what such as "Reading 97 MB"
     * @param {number} deadlineMs
     * @param {(browser: ProbeBrowser) => Promise<T>} act
     * @returns {Promise<T>} rejects with what failed, as `hung` past the deadline
     */
    ask: async (what, deadlineMs, act) => {
      opening ??= open()
      try {
        return await withDeadline(opening.then(act), deadlineMs, what)
      } catch (error) {
        await close()
        throw error
      }
    },
    close,
  }
}
