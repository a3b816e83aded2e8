import type { GgufHeader, GgufValue } from './gguf.ts'
import { malformed } from './header-cursor.ts'

/**
 * Typed access to metadata. A missing key gives the fallback's value; without a fallback, and where the value has another
 * type, BrasaError `malformed_model` names the key.
 */
export interface Metadata {
  /** `general.architecture`. */
  readonly architecture: string
  has(key: string): boolean
  /** Finite. */
  number(key: string, fallback?: () => number): number
  /** A positive integer under 2^31: a dimension, a number of layers. */
  count(key: string, fallback?: () => number): number
  boolean(key: string, fallback?: () => boolean): boolean
  string(key: string, fallback?: () => string): string
  numbers(key: string, fallback?: () => readonly number[]): readonly number[]
  strings(key: string, fallback?: () => readonly string[]): readonly string[]
}

/**
 * The metadata of `header` under `prefix`: by default the architecture's, so that `number('block_count')` reads
 * `llama.block_count`. An empty prefix reads full names, such as `tokenizer.ggml.model`.
 */
export function metadataOf({ metadata }: Pick<GgufHeader, 'metadata'>, prefix?: string): Metadata {
  const architecture = metadata.get('general.architecture')
  if (typeof architecture !== 'string') throw malformed('The file does not say its general.architecture.')
  const start = prefix ?? `${architecture}.`

  function typed<T>(what: string, accept: (value: GgufValue) => T | undefined) {
    return (key: string, fallback?: () => T): T => {
      const name = start + key
      const value = metadata.get(name)
      if (value === undefined) {
        if (fallback !== undefined) return fallback()
        throw malformed(`The metadata key "${name}" is missing.`, { key: name })
      }
      const accepted = accept(value)
      if (accepted === undefined) throw malformed(`The metadata key "${name}" is not ${what}.`, { key: name })
      return accepted
    }
  }
  const isNumber = (value: GgufValue): value is number => typeof value === 'number' && Number.isFinite(value)
  const isString = (value: GgufValue): value is string => typeof value === 'string'
  const only =
    <T extends GgufValue>(is: (value: GgufValue) => value is T) =>
    (value: GgufValue): T | undefined =>
      is(value) ? value : undefined
  const every =
    <T extends GgufValue>(is: (value: GgufValue) => value is T) =>
    (value: GgufValue): readonly T[] | undefined =>
      Array.isArray(value) && value.every(is) ? value : undefined

  return {
    architecture,
    has: (key) => metadata.has(start + key),
    number: typed('a number', only(isNumber)),
    count: typed('a positive integer', (value) =>
      isNumber(value) && Number.isInteger(value) && value > 0 && value < 2 ** 31 ? value : undefined,
    ),
    boolean: typed('true or false', (value) => (typeof value === 'boolean' ? value : undefined)),
    string: typed('a string', only(isString)),
    numbers: typed('an array of numbers', every(isNumber)),
    strings: typed('an array of strings', every(isString)),
  }
}
