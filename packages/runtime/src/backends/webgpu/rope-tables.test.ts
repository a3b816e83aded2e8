import { expect, test } from 'vitest'
import type { RopeSpec, TransformerSpec } from '../transformer-spec.ts'
import { buildRopeTable } from './kernels/rope-kv.ts'
import { createRopeTables, ropeTableBytes } from './rope-tables.ts'
import { downloaded, testGpu } from './test-gpu.ts'

const inverseFrequencies = Float64Array.of(1, 0.31, 0.007)
const plain: RopeSpec = { pairing: 'half', dim: 6, inverseFrequencies }
const longer: RopeSpec = { ...plain, magnitude: 1.2 }
/** Only what the tables read of a description. */
const spec = {
  blocks: [plain, longer, undefined, { ...plain }].map((rope) => ({ attention: { rope } })),
} as unknown as TransformerSpec

test('a table of more positions than are computed at a time, shared by layers that turn alike', async () => {
  const gpu = await testGpu()
  const contextLength = 9001
  const tables = createRopeTables(gpu, spec, contextLength)
  for (const rope of [plain, longer]) {
    const expected = buildRopeTable(inverseFrequencies, 0, contextLength, rope.magnitude)
    const actual = new Float32Array(await downloaded(gpu, tables.tableOf(rope), expected.byteLength))
    expect(actual.every((value, i) => value === expected[i])).toBe(true)
  }
  expect(tables.tableOf({ ...plain })).toBe(tables.tableOf(plain))
  expect(tables.tableOf(longer)).not.toBe(tables.tableOf(plain))
  expect(tables.byteLength / ropeTableBytes(spec, contextLength)).toBeCloseTo(1, 3)
})
