import { describe, expect, it } from 'vitest'
import { writeOnnx } from './onnx.ts'

const strings = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes)
const rows = { type: 'float32', dims: ['rows'] } as const

describe('writeOnnx', () => {
  it('writes y = x + x byte for byte as the protobuf encoding has it', () => {
    const bytes = writeOnnx({
      name: 'g',
      nodes: [{ op: 'Add', inputs: ['x', 'x'], outputs: ['y'] }],
      constants: [],
      inputs: [{ name: 'x', ...rows }],
      outputs: [{ name: 'y', ...rows }],
    })
    // Field number * 8 + wire type, then a value or a length: https://protobuf.dev/programming-guides/encoding/
    const value = (name: string) => [10, 1, name.charCodeAt(0), 18, 14, 10, 12, 8, 1, 18, 8, 10, 6, 18, 4]
    const node = [10, 1, 120, 10, 1, 120, 18, 1, 121, 26, 1, 121, 34, 3, 65, 100, 100]
    const symbol = [...'rows'].map((letter) => letter.charCodeAt(0))
    const graph = [10, node.length, ...node, 18, 1, 103, 90, 19, ...value('x'), ...symbol, 98, 19]
    graph.push(...value('y'), ...symbol)
    const microsoft = [...'com.microsoft'].map((letter) => letter.charCodeAt(0))
    const expected = [8, 10, 18, 5, ...[...'brasa'].map((letter) => letter.charCodeAt(0))]
    expected.push(58, graph.length, ...graph, 66, 2, 16, 21, 66, 17, 10, 13, ...microsoft, 16, 1)
    expect([...bytes]).toEqual(expected)
  })

  it('points to external data instead of holding it', () => {
    const bytes = writeOnnx({
      name: 'g',
      nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
      constants: [
        {
          name: 'w',
          type: 'float32',
          dims: [500_000_000],
          data: { location: 'weights', byteOffset: 4096, byteLength: 2_000_000_000 },
        },
      ],
      inputs: [{ name: 'x', ...rows }],
      outputs: [{ name: 'y', ...rows }],
    })
    expect(bytes.length).toBeLessThan(250)
    for (const part of ['location', 'weights', 'offset', '4096', 'length', '2000000000']) {
      expect(strings(bytes)).toContain(part)
    }
  })

  it('refuses a constant too large to lie within the model', () => {
    const constant = { name: 'w', type: 'int8', dims: [2 ** 21], data: new Uint8Array(2 ** 21) } as const
    expect(() => writeOnnx({ name: 'g', nodes: [], constants: [constant], inputs: [], outputs: [] })).toThrow(
      'write it as external data',
    )
  })
})
