import type { Executor, Sequence } from '../backends/executor.ts'

/**
 * The executor's sequence and the journal of its tokens. One answer's prompt usually begins with the prompt and answer
 * before it, whose keys and values then need not be computed again.
 */
export interface Conversation {
  readonly sequence: Sequence
  /**
   * Forgets what differs from `prompt`, and the prompt's last token in any case, since a step must add it to sample what
   * follows. Returns the number of tokens kept.
   */
  keepCommonPrefix(prompt: Uint32Array): number
  /** Forgets all but the first `length` of `tokens`, which are what the sequence holds. */
  settle(tokens: readonly number[] | Uint32Array, length: number): void
}

export function createConversation(executor: Executor): Conversation {
  const sequence = executor.createSequence()
  let journal: Uint32Array = new Uint32Array()
  return {
    sequence,
    keepCommonPrefix(prompt) {
      const limit = Math.min(journal.length, prompt.length - 1)
      let length = 0
      while (length < limit && journal[length] === prompt[length]) length++
      executor.rollback(sequence, length)
      journal = journal.slice(0, length)
      return length
    },
    settle(tokens, length) {
      if (length < sequence.length) executor.rollback(sequence, length)
      journal = Uint32Array.from(tokens).slice(0, length)
    },
  }
}
