import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sha256Hex } from './hash.ts'
import { createSha256Stream } from './sha256-stream.ts'

it('equals crypto.subtle however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 6 }), async (pieces) => {
      const stream = createSha256Stream()
      for (const piece of pieces) stream.update(piece)
      const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]))
      expect(stream.digest()).toBe(await sha256Hex(whole))
    }),
    { numRuns: 500 },
  )
})

it.each([0, 55, 56, 63, 64, 65, 119, 120, 128])('pads %i bytes as crypto.subtle does', async (length) => {
  const stream = createSha256Stream()
  const bytes = new Uint8Array(length).fill(0xa5)
  stream.update(bytes)
  expect(stream.digest()).toBe(await sha256Hex(bytes))
})
