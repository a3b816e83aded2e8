import { describe, expect, it } from 'vitest'
import { ggmlTypeNames } from '../../formats/ggml-types.ts'
import { dequantise } from '../../quant/blocks.ts'
import { randomBlocks, randomNumbers, tinyModel } from './tiny-model.ts'

describe('randomBlocks', () => {
  it.each(ggmlTypeNames)('makes %s values of the size that was asked for', (type) => {
    const values = new Float64Array(256 * 64)
    dequantise(type, randomBlocks(type, values.length, 0.25, randomNumbers(3)), values)
    const rms = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
    expect(rms).toBeGreaterThan(0.2)
    expect(rms).toBeLessThan(0.3)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(0.05)
  })
})

describe('tinyModel', () => {
  it('streams what it reads, in pieces', async () => {
    const { weights } = tinyModel({ pieceBytes: 500 })
    const parts = new Map<string, number[]>()
    for await (const { tensor, byteOffset, bytes } of weights.stream()) {
      const part = parts.get(tensor.name) ?? []
      expect(byteOffset).toBe(part.length)
      parts.set(tensor.name, [...part, ...bytes])
    }
    expect(parts.size).toBe(weights.tensors.size)
    for (const [name, bytes] of parts) expect(bytes).toEqual([...(await weights.read(name))])
  })
})
