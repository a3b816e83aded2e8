import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createHeapMeter } from './heap-meter.ts'
import { createSpool } from './spool.ts'

const mebibyte = 1024 * 1024

it('gives back what was written, however it was cut, and holds little of it', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 700_000 }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(sizes, fc.double({ min: 0, max: 1, noNaN: true }), async (chunkSizes, share) => {
      const heap = createHeapMeter()
      const spool = createSpool(heap)
      const total = chunkSizes.reduce((sum, size) => sum + size, 0)
      const written = Uint8Array.from({ length: total }, (_, i) => (i * 31) & 0xff)
      let start = 0
      for (const size of chunkSizes) {
        spool.write(written.slice(start, start + size))
        start += size
        expect(spool.size).toBe(start)
        expect(heap.heldBytes).toBeLessThan(mebibyte)
      }
      const first = Math.floor(total * share)
      const taken = [spool.take(first), spool.take(total - first)]
      expect(taken.map(({ size }) => size)).toEqual([first, total - first])
      const bytes = new Uint8Array(await new Blob(taken).arrayBuffer())
      expect(Buffer.compare(bytes, written)).toBe(0)
      expect(heap.heldBytes).toBe(0)
    }),
    { numRuns: 30 },
  )
})

it('frees a chunk’s memory as soon as the Blob has it', () => {
  const spool = createSpool(createHeapMeter())
  const chunk = new Uint8Array(mebibyte)
  spool.write(chunk)
  // Node 20 has no ArrayBuffer.prototype.transfer, and leaves it to the collector.
  expect(chunk.byteLength).toBe('transfer' in ArrayBuffer.prototype ? 0 : mebibyte)
})
