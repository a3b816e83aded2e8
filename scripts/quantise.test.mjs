import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readGguf } from '../packages/runtime/src/formats/gguf.ts'
import { writeGguf } from '../packages/runtime/src/formats/gguf-writer.ts'
import { dequantise } from '../packages/runtime/src/quant/blocks.ts'
import { quantiseFile } from './quantise.mjs'

/** @type {string} */
let folder
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brasa-quantise-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const floats = (/** @type {number} */ count, /** @type {number} */ seed) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + i * i * 0.37) * 0.1)
const bytesOf = (/** @type {Float32Array} */ values) => new Uint8Array(values.buffer)

const metadata = {
  'general.architecture': 'llama',
  'general.file_type': 0,
  'a.signed': -3,
  'a.long': 5n,
  'a.flag': true,
  'a.list': ['one', '', 'þrír'],
  'a.nested': [
    [1, 2],
    [3, 4],
  ],
}
const values = {
  'token_embd.weight': floats(96 * 64, 1),
  'blk.0.attn_q.weight': floats(64 * 64, 2),
  'blk.0.ffn_down.weight': floats(3 * 256, 3),
  'blk.0.odd.weight': floats(2 * 20, 4),
  'blk.0.attn_norm.weight': floats(64, 5),
}
/** @type {Record<string, number[]>} */
const shapes = {
  'token_embd.weight': [96, 64],
  'blk.0.attn_q.weight': [64, 64],
  'blk.0.ffn_down.weight': [3, 256],
  'blk.0.odd.weight': [2, 20],
  'blk.0.attn_norm.weight': [64],
}

/** @param {string} file */
async function open(file) {
  const bytes = new Uint8Array(readFileSync(file))
  const source = {
    size: bytes.length,
    read: async (/** @type {number} */ at, /** @type {number} */ length) => bytes.slice(at, at + length),
  }
  return { bytes, header: await readGguf(source) }
}

test.each(
  /** @type {const} */ ([
    ['Q4_K', 14, ['Q8_0', 'Q4_1', 'Q4_K', 'F32', 'F32']],
    ['Q6_K', 18, ['Q8_0', 'Q8_0', 'Q6_K', 'F32', 'F32']],
    ['Q4_0', 2, ['Q8_0', 'Q4_0', 'Q4_0', 'F32', 'F32']],
  ]),
)('%s: the same model in other blocks', async (type, fileType, types) => {
  const input = join(folder, 'in.gguf')
  const output = join(folder, 'out.gguf')
  const tensors = Object.entries(values).map(([name, data]) => ({
    name,
    type: /** @type {const} */ ('F32'),
    shape: shapes[name] ?? [],
    bytes: bytesOf(data),
  }))
  writeFileSync(input, writeGguf({ metadata, tensors, alignment: 64 }))
  /** @type {number[]} */
  const progress = []
  await quantiseFile(input, output, type, (done) => progress.push(done))
  expect(progress.at(-1)).toBe(tensors.reduce((sum, { bytes }) => sum + bytes.length, 0))

  const before = await open(input)
  const { bytes, header } = await open(output)
  expect(new Map(header.metadata)).toEqual(
    new Map([...before.header.metadata, ['general.file_type', fileType]]),
  )
  expect([...header.tensors.values()].map((tensor) => tensor.type)).toEqual(types)
  for (const [name, expected] of Object.entries(values)) {
    const tensor = header.tensors.get(name)
    if (tensor === undefined) throw new Error(`${name} is missing`)
    expect(tensor.shape).toEqual(shapes[name])
    expect(tensor.byteOffset % 64).toBe(0)
    const decoded = new Float32Array(expected.length)
    dequantise(tensor.type, bytes.subarray(tensor.byteOffset, tensor.byteOffset + tensor.byteLength), decoded)
    const worst = Math.max(...decoded.map((value, i) => Math.abs(value - (expected[i] ?? 0))))
    expect(worst).toBeLessThan(tensor.type === 'F32' ? 1e-9 : tensor.type === 'Q8_0' ? 5e-4 : 0.02)
  }
})

test('nothing is left behind where it fails', async () => {
  const input = join(folder, 'in.gguf')
  const bad = floats(64 * 64, 1)
  bad[100] = Number.NaN
  const tensor = {
    name: 'blk.0.attn_q.weight',
    type: /** @type {const} */ ('F32'),
    shape: [64, 64],
    bytes: bytesOf(bad),
  }
  writeFileSync(input, writeGguf({ metadata: { 'general.architecture': 'llama' }, tensors: [tensor] }))
  await expect(quantiseFile(input, join(folder, 'out.gguf'), 'Q4_0')).rejects.toThrow(/finite/)
  expect(existsSync(join(folder, 'out.gguf'))).toBe(false)
  expect(readdirSync(folder)).toEqual(['in.gguf'])
})
