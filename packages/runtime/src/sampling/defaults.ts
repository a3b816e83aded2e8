/**
 * What is used where a request says nothing. OpenAI's own defaults (temperature 1, top_p 1) suit models much larger than
 * those that run in a page: small ones lose the thread when their unlikely tokens are drawn.
 */
export const samplingDefaults = {
  temperature: 0.7,
  top_p: 0.95,
  top_k: 0,
  min_p: 0,
  repetition_penalty: 1,
  frequency_penalty: 0,
  presence_penalty: 0,
} as const
