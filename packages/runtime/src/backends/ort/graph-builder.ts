import {
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
  writeOnnx,
} from '../../formats/onnx.ts'
import type { LinearMatrix } from './linear-matrix.ts'
import type { MatrixPlan } from './segments.ts'

/** What a graph is written from: a matrix for each group of linear layers that share an input, norms' gains and biases. */
export interface GraphWeights {
  /** By the plan's name. */
  matrix(name: string): LinearMatrix
  /** By tensor. */
  vector(name: string): Float32Array
}

export interface WrittenGraph {
  readonly model: Uint8Array
  /** Files beside the model. */
  readonly externalData: { readonly path: string; readonly data: Uint8Array }[]
}

export type GraphBuilder = ReturnType<typeof createGraphBuilder>

/** Collects nodes in the order in which they run; every method returns the name of the value that it makes. */
export function createGraphBuilder(weights: GraphWeights) {
  const nodes: OnnxNode[] = []
  const constants = new Map<string, OnnxTensor>()
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  const externalData: WrittenGraph['externalData'] = []

  function nodeOf(
    op: string,
    inputs: readonly string[],
    numOutputs: number,
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain?: 'com.microsoft',
  ): string[] {
    const outputs = Array.from({ length: numOutputs }, (_, index) => `${op}_${nodes.length}_${index}`)
    nodes.push({ op, inputs, outputs, attributes, ...(domain !== undefined && { domain }) })
    return outputs
  }

  const node = (
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    domain?: 'com.microsoft',
  ): string => nodeOf(op, inputs, 1, attributes, domain)[0]!

  function constant(values: readonly number[]): string {
    const name = `int64 ${values.join(' ')}`
    const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer)
    constants.set(name, { name, type: 'int64', dims: [values.length], data })
    return name
  }

  function float32(name: string, values: Float32Array, dims: readonly number[]): string {
    const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    constants.set(name, { name, type: 'float32', dims, data })
    return name
  }

  const scalar = (value: number): string => float32(`float32 ${value}`, Float32Array.of(value), [])

  /** Of all parts of a matrix; undefined where none has one. */
  function biasOf({ name, outputSize, parts }: MatrixPlan): string | undefined {
    if (parts.every(({ linear }) => linear.bias === undefined)) return undefined
    const values = new Float32Array(outputSize)
    for (const { linear, row } of parts) {
      if (linear.bias !== undefined) values.set(weights.vector(linear.bias), row)
    }
    return float32(`${name} bias`, values, [outputSize])
  }

  function external(
    name: string,
    type: 'float32' | 'int8',
    dims: readonly number[],
    data: Uint8Array,
  ): string {
    externalData.push({ path: name, data })
    constants.set(name, {
      name,
      type,
      dims,
      data: { location: name, byteOffset: 0, byteLength: data.byteLength },
    })
    return name
  }

  return {
    node,
    constant,

    input(name: string, dims: OnnxValue['dims']): string {
      inputs.push({ name, type: 'float32', dims })
      return name
    },

    /** Gives `value` out under `name`. */
    output(value: string, name: string, dims: OnnxValue['dims']): void {
      nodes.push({ op: 'Identity', inputs: [value], outputs: [name] })
      outputs.push({ name, type: 'float32', dims })
    },

    gain(name: string): string {
      const values = weights.vector(name)
      return float32(name, values, [values.length])
    },

    /** `factor` times a value: the value itself where that is 1. */
    scaled: (value: string, factor = 1): string =>
      factor === 1 ? value : node('Mul', [value, scalar(factor)]),

    reshape: (value: string, shape: readonly number[]): string => node('Reshape', [value, constant(shape)]),

    transpose: (value: string, perm: readonly number[]): string =>
      node('Transpose', [value], { perm: { ints: perm } }),

    /** Parts of the last dimension, of the `sizes` that an int64 value holds. */
    split: (value: string, sizes: string, count: number): string[] =>
      nodeOf('Split', [value, sizes], count, { axis: { int: -1 } }),

    /** `x` (rows, inputSize) times the transpose of the matrix, plus its bias: (rows, outputSize). */
    linear(x: string, plan: MatrixPlan): string {
      const { name } = plan
      const matrix = weights.matrix(name)
      const { outputSize, inputSize, data } = matrix
      const bias = biasOf(plan)
      const withBias = bias === undefined ? [] : [bias]
      if (matrix.format === 'f32') {
        const weight = external(name, 'float32', [outputSize, inputSize], data)
        return node('Gemm', [x, weight, ...withBias], { transB: { int: 1 } })
      }
      const weight = external(name, 'int8', [inputSize, outputSize], data)
      const scales = external(`${name} scales`, 'float32', [outputSize], matrix.scales)
      const product = (x: string, ...rest: string[]) =>
        node('DynamicQuantizeMatMul', [x, weight, scales, ...rest], {}, 'com.microsoft')
      // One scale for all of x drowns it where a component is far out: what rounding left is multiplied too. On SmolLM2 the
      // divergence from float64 falls from 0.03-0.05 to 0.001-0.007 nats a token.
      const rest = node('Sub', [x, node('DequantizeLinear', nodeOf('DynamicQuantizeLinear', [x], 3))])
      const noZeroPoints = bias === undefined ? [] : ['']
      return node('Add', [product(x, ...noZeroPoints, ...withBias), product(rest)])
    },

    write: (name: string): WrittenGraph => ({
      model: writeOnnx({ name, nodes, constants: [...constants.values()], inputs, outputs }),
      externalData,
    }),
  }
}
