import { BrasaError } from '../../errors.ts'
import type { Sequence } from '../executor.ts'

/** What a sequence is to this backend. */
export interface SequenceState extends Sequence {
  /** Index of its page table and sampling state. */
  readonly slot: number
  length: number
  /** The token its last step sampled; undefined while that step is in flight and after a rollback. */
  lastToken: number | undefined
}

export interface Sequences {
  /** @throws BrasaError `invalid_request` if all slots are taken */
  create(length: number): SequenceState
  /** @throws BrasaError `internal` for a sequence that was freed or is another engine's */
  stateOf(sequence: Sequence): SequenceState
  free(state: SequenceState): void
}

export function createSequences(numSlots: number): Sequences {
  const alive = new Set<Sequence>()
  const freeSlots = Array.from({ length: numSlots }, (_, i) => numSlots - 1 - i)
  let nextId = 1
  return {
    create(length) {
      const slot = freeSlots.pop()
      if (slot === undefined) {
        throw new BrasaError('invalid_request', {
          message: `This engine holds at most ${numSlots} sequences at once. Free one first.`,
          details: { numSlots },
        })
      }
      const state = { id: nextId++, slot, length, lastToken: undefined }
      alive.add(state)
      return state
    },
    stateOf(sequence) {
      if (alive.has(sequence)) return sequence as SequenceState
      throw new BrasaError('internal', {
        message: `Sequence ${sequence.id} was freed, or is not of this executor.`,
      })
    },
    free(state) {
      alive.delete(state)
      freeSlots.push(state.slot)
    },
  }
}
