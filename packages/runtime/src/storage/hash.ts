import { BrasaError } from '../errors.ts'

/**
 * Lower-case hex SHA-256.
 * @throws BrasaError `storage_unavailable` outside a secure context, where the browser has no crypto.subtle
 */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    throw new BrasaError('storage_unavailable', {
      message:
        'This page cannot check what it downloads: browsers have crypto.subtle only on https:// and on localhost. Serve the page from one of those.',
    })
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

export function hashMismatch(what: string, expected: string, actual: string, advice: string): BrasaError {
  return new BrasaError('hash_mismatch', {
    message: `${what} has SHA-256 ${actual} and should have ${expected}. ${advice}`,
    details: { expected, actual },
  })
}
