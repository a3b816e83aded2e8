import type { Executor, Sequence } from '../backends/executor.ts'

/** A sequence and the tokens it was given or has sampled. It holds the first `sequence.length` of them. */
export interface SequenceSlot {
  readonly sequence: Sequence
  readonly tokens: number[]
}

export interface SequenceSlots {
  /** Whether `take` would find a place. */
  readonly hasRoom: boolean
  /**
   * A slot for `tokens` whose sequence holds as many of the first of them as any other does, and never the last, since a step must add it
   * to sample what follows. No steps may be in flight. Undefined where all are in use.
   */
  take(tokens: readonly number[], sharesPrefix: boolean): SequenceSlot | undefined
  /** Keeps what a slot holds for whoever begins alike, as long as there is room. */
  keep(slot: SequenceSlot): void
  /** Forgets what it holds. */
  free(slot: SequenceSlot): void
}

/** A fork may copy all that a sequence holds: worth it where at least one token of so many is shared. Computing a token costs more than copying 100. */
const mostCopiedPerShared = 64

/**
 * The executor's sequences: those that run, and those of finished answers whose keys and values the next turn of the conversation need not
 * compute again. These are given up, the longest unused first, where a new sequence needs the place, and where all together hold
 * more than one full context: that much memory the load has planned for.
 */
export function createSequenceSlots(executor: Executor): SequenceSlots {
  const running = new Set<SequenceSlot>()
  /** The longest unused first. */
  const kept: SequenceSlot[] = []

  const isKept = (slot: SequenceSlot) => kept.includes(slot)
  const drop = (slot: SequenceSlot) => {
    running.delete(slot)
    if (isKept(slot)) kept.splice(kept.indexOf(slot), 1)
    executor.free(slot.sequence)
  }
  const heldTokens = () => [...running, ...kept].reduce((sum, { sequence }) => sum + sequence.length, 0)

  function started(sequence: Sequence, tokens: readonly number[]): SequenceSlot {
    const slot = { sequence, tokens: [...tokens] }
    running.add(slot)
    return slot
  }

  /** Makes a place for one more sequence; `wanted` is not given up for it. */
  function makePlace(wanted?: SequenceSlot): boolean {
    if (running.size + kept.length < executor.maxBatchSize) return true
    const oldest = kept.find((slot) => slot !== wanted)
    if (oldest) drop(oldest)
    return oldest !== undefined
  }

  function keepWithinBudget(numNewTokens: number): void {
    while (kept.length > 0 && heldTokens() + numNewTokens > executor.contextLength) drop(kept[0]!)
  }

  return {
    get hasRoom() {
      return running.size < executor.maxBatchSize
    },
    take(tokens, sharesPrefix) {
      if (running.size >= executor.maxBatchSize) return undefined
      const known = sharesPrefix ? [...kept, ...running] : []
      const [best, numShared] = longestCommonPrefix(known, tokens)
      // What little it shares, such as a system prompt, is no reason to give up the rest of another conversation.
      const isSame = best !== undefined && isKept(best) && 2 * numShared >= best.sequence.length
      const isWorthCopy = best !== undefined && mostCopiedPerShared * numShared >= best.sequence.length
      if (best && !isSame && isWorthCopy && makePlace(best)) {
        const slot = started(executor.fork(best.sequence), tokens)
        executor.rollback(slot.sequence, numShared)
        keepWithinBudget(tokens.length - slot.sequence.length)
        return slot
      }
      if (best && isKept(best) && (isSame || !makePlace(best))) {
        kept.splice(kept.indexOf(best), 1)
        executor.rollback(best.sequence, numShared)
        const slot = started(best.sequence, tokens)
        keepWithinBudget(tokens.length - slot.sequence.length)
        return slot
      }
      keepWithinBudget(tokens.length)
      makePlace()
      return started(executor.createSequence(), tokens)
    },
    keep(slot) {
      const { sequence, tokens } = slot
      if (tokens.length < sequence.length) executor.rollback(sequence, tokens.length)
      tokens.length = Math.min(tokens.length, sequence.length)
      if (tokens.length === 0) return drop(slot)
      running.delete(slot)
      kept.push(slot)
    },
    free: drop,
  }
}

function longestCommonPrefix(
  slots: readonly SequenceSlot[],
  tokens: readonly number[],
): [best: SequenceSlot | undefined, numShared: number] {
  let best: SequenceSlot | undefined
  let longest = 0
  for (const slot of slots) {
    const limit = Math.min(slot.sequence.length, slot.tokens.length, tokens.length - 1)
    let length = 0
    while (length < limit && slot.tokens[length] === tokens[length]) length++
    if (length > longest) [best, longest] = [slot, length]
  }
  return [best, longest]
}
