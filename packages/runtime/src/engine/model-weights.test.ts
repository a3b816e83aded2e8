import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GgmlType, ggmlTypeNames, ggmlTypes } from '../formats/ggml-types.ts'
import type { TensorInfo } from '../formats/gguf.ts'
import type { StoredFile } from '../storage/stored-file.ts'
import { modelWeights } from './model-weights.ts'

/** A file whose shards are copies that are overwritten once the next is asked for, as the contract allows. */
function fileInShards(bytes: Uint8Array<ArrayBuffer>, shardBytes: number): StoredFile {
  return {
    name: 'test.gguf',
    size: bytes.byteLength,
    read: async (offset, length) => bytes.slice(offset, offset + length),
    async *shards() {
      for (let offset = 0; offset < bytes.byteLength; offset += shardBytes) {
        const shard = bytes.slice(offset, offset + shardBytes)
        yield { offset, bytes: shard }
        shard.fill(0xee)
      }
    },
  }
}

function numbered(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 17 + seed) & 0xff)
}

const drawnTensor = fc.record({
  type: fc.constantFrom<GgmlType>(...ggmlTypeNames),
  numBlocks: fc.integer({ min: 0, max: 12 }),
  gap: fc.integer({ min: 0, max: 40 }),
})

/** Lays drawn tensors out one after another, `gap` bytes before each. */
function layOut(drawn: readonly { type: GgmlType; numBlocks: number; gap: number }[], file: number) {
  let end = 0
  const tensors = drawn.map(({ type, numBlocks, gap }, index): TensorInfo => {
    const { blockBytes, blockSize } = ggmlTypes[type]
    const byteOffset = end + gap
    const byteLength = numBlocks * blockBytes
    end = byteOffset + byteLength
    return { name: `f${file}.t${index}`, type, shape: [numBlocks * blockSize], file, byteOffset, byteLength }
  })
  return { tensors, size: end }
}

describe('modelWeights', () => {
  it('streams every byte of every tensor in whole blocks, wherever shards end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(drawnTensor, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 700 }),
        async (files, shardBytes) => {
          const laidOut = files.map((drawn, file) => layOut(drawn, file))
          const bytes = laidOut.map(({ size }, file) => numbered(size + 3, file))
          const tensors = laidOut.flatMap((file) => file.tensors)
          // Reversed: the map's order is the header's and need not be the file's.
          const weights = modelWeights(
            { tensors: new Map(tensors.toReversed().map((tensor) => [tensor.name, tensor])) },
            bytes.map((file) => fileInShards(file, shardBytes)),
          )

          const received = new Map<string, number[]>()
          const order: string[] = []
          for await (const piece of weights.stream()) {
            const { blockBytes } = ggmlTypes[piece.tensor.type]
            const sofar = received.get(piece.tensor.name) ?? []
            if (sofar.length === 0) order.push(piece.tensor.name)
            expect(piece.byteOffset).toBe(sofar.length)
            expect(piece.bytes.byteLength).toBeGreaterThan(0)
            expect(piece.bytes.byteLength % blockBytes).toBe(0)
            expect(piece.bytes.byteLength).toBeLessThanOrEqual(Math.max(shardBytes, blockBytes))
            received.set(piece.tensor.name, [...sofar, ...piece.bytes])
          }
          const filled = tensors.filter((tensor) => tensor.byteLength > 0)
          expect(order).toEqual(filled.map((tensor) => tensor.name))
          for (const tensor of filled) {
            const { byteOffset, byteLength } = tensor
            const expected = bytes[tensor.file]!.slice(byteOffset, byteOffset + byteLength)
            expect(new Uint8Array(received.get(tensor.name)!)).toEqual(expected)
            expect(await weights.read(tensor.name)).toEqual(expected)
          }
        },
      ),
    )
  })

  it('says which tensor is missing, out of the file, or in a part that was not given', async () => {
    const { tensors } = layOut([{ type: 'F32', numBlocks: 4, gap: 0 }], 0)
    const tensor = tensors[0]!
    const short = modelWeights({ tensors: new Map([['t', tensor]]) }, [fileInShards(numbered(15, 0), 8)])
    await expect(short.read('other')).rejects.toMatchObject({ code: 'malformed_model' })
    await expect(short.stream()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'truncated_model',
    })
    const elsewhere = modelWeights({ tensors: new Map([['t', { ...tensor, file: 1 }]]) }, [])
    await expect(elsewhere.read('t')).rejects.toMatchObject({ code: 'malformed_model' })
    await expect(elsewhere.stream()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'malformed_model',
    })
  })
})
