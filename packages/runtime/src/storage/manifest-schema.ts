import * as v from 'valibot'
import { BrasaError } from '../errors.ts'
import { type Manifest, shardSize } from './manifest.ts'

export const sha256Schema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'not a lower-case hex SHA-256'))
export const byteCountSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1))

/** A path that stays below the document that names it: no scheme, host, root, query, backslash or way up. */
export const relativePathSchema = v.pipe(
  v.string(),
  v.maxLength(1024),
  v.check(
    (path) =>
      /^[^\\?#:%]+$/.test(path) &&
      path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'),
    'not a plain relative path',
  ),
)

const shardSchema = v.object({
  size: v.pipe(byteCountSchema, v.maxValue(shardSize, `more than ${shardSize} bytes`)),
  sha256: sha256Schema,
  path: relativePathSchema,
})

const fileSchema = v.pipe(
  v.object({
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
    size: byteCountSchema,
    sha256: v.optional(sha256Schema),
    shards: v.pipe(v.array(shardSchema), v.minLength(1), v.maxLength(65_536)),
  }),
  v.check(
    (file) => file.shards.reduce((sum, shard) => sum + shard.size, 0) === file.size,
    'the shards do not add up to the file’s size',
  ),
  v.check((file) => {
    const sizes = new Map(file.shards.map((shard) => [shard.sha256, shard.size]))
    return file.shards.every((shard) => sizes.get(shard.sha256) === shard.size)
  }, 'one hash has two sizes'),
)

const manifestSchema = v.object({
  version: v.literal(1),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(1024)),
  files: v.pipe(v.array(fileSchema), v.minLength(1), v.maxLength(1024)),
})

/**
 * Checks the `manifest.json` of a shard folder. It is hostile until it was: every shard has a hash, a size of at most 16 MiB
 * and a path inside the folder, and the sizes add up.
 * @throws BrasaError `malformed_manifest`, naming the first thing that is wrong
 */
export function parseManifest(value: unknown, url: string): Manifest {
  return parseDocument(manifestSchema, value, url, 'manifest', 'Make it again with `npm run shard`.')
}

/** @throws BrasaError `malformed_manifest` */
export function parseDocument<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  url: string,
  kind: 'manifest' | 'catalogue' | 'listing',
  advice: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const issue = result.issues[0]
  const where = v.getDotPath(issue) ?? 'the document'
  throw new BrasaError('malformed_manifest', {
    message: `${url} is not a ${kind} that Brasa can read: ${where}: ${issue.message}. ${advice}`,
    details: { url, where },
  })
}
