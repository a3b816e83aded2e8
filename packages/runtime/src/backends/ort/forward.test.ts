import { expect, it } from 'vitest'
import { ortError } from './forward.ts'

it.each([
  ["Can't create a session. ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc", 'out_of_memory'],
  ['Array buffer allocation failed', 'out_of_memory'],
  ['memory access out of bounds', 'internal'],
  ['failed to call OrtRun(). ERROR_CODE: 2, ERROR_MESSAGE: Non-zero status code returned', 'internal'],
])('"%s" is %s, and its cause is kept', (words, code) => {
  const cause = new Error(words)
  expect(ortError(cause, 'compute a step')).toMatchObject({ code, cause })
})
