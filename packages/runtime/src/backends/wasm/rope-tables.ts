import type { TransformerSpec } from '../transformer-spec.ts'
import type { Heap } from './heap.ts'

/**
 * Cosines and sines of each block's positions: address of f32 (contextLength, dim / 2, 2), shared by blocks that turn alike; 0
 * where nothing turns. Angles are reduced in float64: those of distant positions are too large for an f32 sine.
 */
export function createRopeTables(
  spec: TransformerSpec,
  contextLength: number,
  heap: Heap,
): readonly number[] {
  const addresses = new Map<string, number>()
  const frequencies: Float64Array[] = []
  return spec.blocks.map(({ attention: { rope } }) => {
    if (rope === undefined) return 0
    const { inverseFrequencies, magnitude = 1 } = rope
    if (!frequencies.includes(inverseFrequencies)) frequencies.push(inverseFrequencies)
    const key = `${frequencies.indexOf(inverseFrequencies)} ${magnitude}`
    const known = addresses.get(key)
    if (known !== undefined) return known
    const numPairs = inverseFrequencies.length
    const address = heap.allocate(contextLength * numPairs * 8)
    const table = heap.floats(address, contextLength * numPairs * 2)
    for (let position = 0; position < contextLength; position++) {
      for (let pair = 0; pair < numPairs; pair++) {
        const angle = position * inverseFrequencies[pair]!
        const at = (position * numPairs + pair) * 2
        table[at] = magnitude * Math.cos(angle)
        table[at + 1] = magnitude * Math.sin(angle)
      }
    }
    addresses.set(key, address)
    return address
  })
}
