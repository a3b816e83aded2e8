// @ts-check

/** Each is one token after a space, in the vocabularies of the models that the bench was tried with. */
const words =
  'river stone light paper north glass early cloud seven house water green table music winter garden bridge letter window summer silver market island forest morning doctor number street planet yellow orange simple'.split(
    ' ',
  )

/** Words by which any two prompts of a run differ: 32 to the power of this many prompts. */
const numOpeningWords = 3

/**
 * A text of about `numTokens` tokens that shares no beginning with one of another `index`, so that no cached prefix makes a
 * prefill look fast. Each system says how many tokens it was.
 * @param {number} index below 32,768
 * @param {number} numTokens more than 3
 */
export function promptOf(index, numTokens) {
  // Low digits first: prompts that follow one another differ in their first word.
  const opening = Array.from({ length: numOpeningWords }, (_, digit) => wordAt(index / words.length ** digit))
  const rest = Array.from({ length: numTokens - numOpeningWords }, (_, at) =>
    wordAt(at * 7 + (at >> 5) + index),
  )
  return ` ${[...opening, ...rest].join(' ')}`
}

/** No test's prompt has this index, or one after it. */
export const spareIndex = 32_000

/** Tokens of the prompt that a load ends with: about what a chat's template makes of a short question. */
export const loadTokens = 37
export const loadPrompt = () => promptOf(spareIndex, loadTokens)

const wordAt = (/** @type {number} */ index) => words[Math.floor(index) % words.length]
