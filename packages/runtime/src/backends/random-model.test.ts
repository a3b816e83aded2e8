import { expect, test } from 'vitest'
import { ggmlTypes } from '../formats/ggml-types.ts'
import { modelShapes, randomModel } from './random-model.ts'

/** Parameters that the models' own names promise, in millions. */
const parameters = { '135M': 134.5, '0.5B': 494, '1B': 1236, '3B': 3213, '8B': 8030 }

test.each(Object.entries(modelShapes))(
  '%s has the parameters of the model it is named after',
  (name, shape) => {
    const { weights } = randomModel(shape)
    const count = [...weights.tensors.values()].reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    )
    expect(count / 1e6 / parameters[name as keyof typeof parameters]).toBeCloseTo(1, 2)
  },
)

test('streams every byte once, in whole pairs of blocks, and holds a piece at most', async () => {
  const { weights } = randomModel({ ...modelShapes['135M'], numBlocks: 1 })
  const read = new Map<string, number>()
  for await (const { tensor, byteOffset, bytes } of weights.stream()) {
    expect(byteOffset).toBe(read.get(tensor.name) ?? 0)
    expect(bytes.length % ggmlTypes[tensor.type].blockBytes).toBe(0)
    expect(bytes.length).toBeLessThanOrEqual(1 << 20)
    read.set(tensor.name, byteOffset + bytes.length)
  }
  for (const { name, byteLength } of weights.tensors.values()) expect(read.get(name)).toBe(byteLength)
})
