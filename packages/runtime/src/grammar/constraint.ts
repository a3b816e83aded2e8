import { BrasaError } from '../errors.ts'
import type { StructuredFormat } from '../protocol.ts'
import { createMatcherHost, type MatcherHost } from './matcher-host.ts'
import { structureOf } from './structure.ts'
import type { ConstraintVocabulary } from './vocabulary.ts'

/** Holds one answer to a format. */
export interface Constraint {
  /**
   * What may be sampled next: token t is bit t & 31 of word t >> 5; undefined is all, also after a failure, which the next `accept`
   * throws. Made in a worker from the moment of the last `accept` on, so that the device computes meanwhile. Never rejects.
   */
  allowed(): Promise<Uint32Array | undefined>
  /**
   * Takes a sampled token.
   * @throws BrasaError `invalid_request` where the format took too long, `internal` for a token before that was not allowed
   */
  accept(token: number): void
  /** Whether the answer could end here, as of the last mask that was made. */
  readonly isComplete: boolean
  free(): void
}

function unspellable(): BrasaError {
  return new BrasaError('invalid_request', {
    message:
      'The model has no token for what the format asks for here. Ask for other characters, or use another model.',
  })
}

/** By vocabulary, which is to say by model. */
const hosts = new WeakMap<ConstraintVocabulary, MatcherHost>()
let nextId = 1

/**
 * A constraint for an answer that begins; `answered` are tokens that it has already. The grammar is compiled, once for each format,
 * when this resolves.
 * @throws BrasaError `invalid_request` for a format that is not supported or takes too long, within 2 s of a worker for it having started,
 *   however many are asked for at once; `queue_full` where too many new ones are
 */
export async function createConstraint(
  format: StructuredFormat,
  vocabulary: ConstraintVocabulary,
  answered: readonly number[] = [],
): Promise<Constraint> {
  const structure = structureOf(format)
  const host = hosts.get(vocabulary) ?? createMatcherHost(vocabulary)
  hosts.set(vocabulary, host)
  const state = { id: nextId++, structure, tokens: [...answered] }
  let failure: BrasaError | undefined
  let isComplete = false

  const nextMask = async (): Promise<Uint32Array | undefined> => {
    try {
      const mask = await host.mask(state)
      if (mask?.every((word) => word === 0)) throw unspellable()
      isComplete = !mask || vocabulary.stopTokens.some((token) => (mask[token >>> 5]! >>> (token & 31)) & 1)
      return mask
    } catch (error) {
      failure ??= error as BrasaError
      return undefined
    }
  }

  let mask = nextMask()
  await mask
  if (failure) {
    host.free(state.id)
    throw failure
  }
  return {
    allowed: () => mask,
    accept(token) {
      if (failure) throw failure
      state.tokens.push(token)
      mask = nextMask()
    },
    get isComplete() {
      return isComplete
    },
    free: () => host.free(state.id),
  }
}
