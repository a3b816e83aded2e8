export interface StopFilter {
  /** What of the text so far may be shown, and whether a stop string was met; nothing may be pushed after that. */
  push(text: string): { readonly text: string; readonly stopped: boolean }
  /** The text held back, when the answer ends without a stop string. */
  end(): string
}

/**
 * Cuts an answer at the first of its stop strings, which may arrive in pieces: text that could be the start of one is held
 * back until it is known not to be.
 */
export function createStopFilter(stopStrings: readonly string[]): StopFilter {
  let held = ''
  return {
    push(text) {
      const candidate = held + text
      const found = stopStrings.map((stop) => candidate.indexOf(stop)).filter((index) => index >= 0)
      if (found.length > 0) {
        held = ''
        return { text: candidate.slice(0, Math.min(...found)), stopped: true }
      }
      const heldLength = longestPartialStop(candidate, stopStrings)
      held = candidate.slice(candidate.length - heldLength)
      return { text: candidate.slice(0, candidate.length - heldLength), stopped: false }
    },
    end() {
      const rest = held
      held = ''
      return rest
    },
  }
}

/** Length of the longest end of `text` with which some stop string begins. */
export function longestPartialStop(text: string, stopStrings: readonly string[]): number {
  const longestStop = Math.max(0, ...stopStrings.map((stop) => stop.length))
  for (let length = Math.min(text.length, longestStop - 1); length > 0; length--) {
    const ending = text.slice(text.length - length)
    if (stopStrings.some((stop) => stop.startsWith(ending))) return length
  }
  return 0
}
