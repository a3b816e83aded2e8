import * as v from 'valibot'
import { BrasaError } from '../errors.ts'
import { fetchJson } from './catalogue.ts'
import type { HttpSettings } from './http.ts'
import { byteCountSchema, parseDocument, sha256Schema } from './manifest-schema.ts'

const hub = 'https://huggingface.co'

/** What a file is to be, as the place says that publishes it. */
export interface ExpectedFile {
  readonly size: number
  readonly sha256?: string
}

/** The parts of the hub's answer about a repository that say what its files are. Small ones have no SHA-256. */
const listingSchema = v.object({
  siblings: v.array(
    v.object({
      rfilename: v.string(),
      size: v.nullish(byteCountSchema),
      lfs: v.nullish(v.object({ sha256: sha256Schema, size: byteCountSchema })),
    }),
  ),
})

/** Where a file of a repository on the hub is. */
export function hubUrl(owner: string, repo: string, path: readonly string[]): string {
  return `${hub}/${owner}/${repo}/resolve/main/${path.map(encodeURIComponent).join('/')}`
}

/**
 * Asks the hub for the size and the SHA-256 of files of its own; of other addresses nothing is known.
 * @throws BrasaError `http_error` (404) for a file that its repository does not have, naming those it has;
 *   `malformed_manifest`, `network_error`, `aborted`
 */
export async function askHub(
  urls: readonly string[],
  http: HttpSettings,
  signal: AbortSignal,
): Promise<readonly (ExpectedFile | undefined)[]> {
  const listings = new Map<string, Promise<readonly Sibling[]>>()
  return Promise.all(
    urls.map(async (url) => {
      const file = hubFileOf(url)
      if (file === undefined) return undefined
      const { listingUrl, path } = file
      const listing = listings.get(listingUrl) ?? askListing(listingUrl, http, signal)
      listings.set(listingUrl, listing)
      return expectedOf(await listing, path, url)
    }),
  )
}

type Sibling = v.InferOutput<typeof listingSchema>['siblings'][number]

async function askListing(url: string, http: HttpSettings, signal: AbortSignal) {
  const answer = await fetchJson(url, http, signal)
  return parseDocument(listingSchema, answer, url, 'listing', 'Load the file from another copy.').siblings
}

function hubFileOf(url: string): { listingUrl: string; path: string } | undefined {
  const { origin, pathname } = new URL(url)
  const [, owner, repo, revision, path] = /^\/([^/]+)\/([^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(pathname) ?? []
  if (origin !== hub || path === undefined) return undefined
  return {
    listingUrl: `${hub}/api/models/${owner}/${repo}/revision/${revision}?blobs=true`,
    path: decodeURIComponent(path),
  }
}

function expectedOf(siblings: readonly Sibling[], path: string, url: string): ExpectedFile | undefined {
  const found = siblings.find(({ rfilename }) => rfilename === path)
  if (found === undefined) {
    const known = siblings.map(({ rfilename }) => rfilename).filter((name) => /\.(gguf|onnx)$/i.test(name))
    throw new BrasaError('http_error', {
      message: `There is no ${path} in that repository. It has: ${known.join(', ') || 'no model file'}.`,
      details: { status: 404, url, known },
    })
  }
  const { lfs, size } = found
  if (lfs != null) return lfs
  return size == null ? undefined : { size }
}
