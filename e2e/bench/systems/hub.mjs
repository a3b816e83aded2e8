// @ts-check
import { reasonOf } from '../../../scripts/command-line.mjs'
import { failure } from '../system.mjs'

const timeoutMs = 5_000

/**
 * @param {string} url of a file that must be there
 * @param {string} flag that names a folder instead
 * @throws a failure, `unavailable`, if it is out of reach
 */
export async function requireReachable(url, flag) {
  const { host } = new URL(url)
  const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(timeoutMs) }).catch(
    (error) => {
      throw failure(
        'unavailable',
        `${host} is out of reach (${reasonOf(error)}). Give a folder with ${flag}.`,
      )
    },
  )
  if (!response.ok) {
    throw failure('unavailable', `${url} answers ${response.status}. Give a folder with ${flag}.`)
  }
}
