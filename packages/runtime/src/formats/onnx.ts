import { BrasaError } from '../errors.ts'
import { encodeModel } from './onnx-schema.ts'

/** TensorProto.DataType of the element types that are written here. */
const elementTypes = { float32: 1, int8: 3, int64: 7 } as const

export type OnnxElementType = keyof typeof elementTypes

/** A node of the graph; values are known by name. */
export interface OnnxNode {
  readonly op: string
  /** '' is the standard's own operators. */
  readonly domain?: 'com.microsoft' | ''
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>
}

/** JavaScript has one kind of number; an operator has two. */
export type OnnxAttribute =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly ints: readonly number[] }

/** An input or output; a dimension that is a string is symbolic. */
export interface OnnxValue {
  readonly name: string
  readonly type: OnnxElementType
  readonly dims: readonly (number | string)[]
}

/** A constant: its bytes, little-endian, in the model itself or in a file beside it. */
export interface OnnxTensor {
  readonly name: string
  readonly type: OnnxElementType
  readonly dims: readonly number[]
  readonly data: Uint8Array | ExternalData
}

export interface ExternalData {
  readonly location: string
  readonly byteOffset: number
  readonly byteLength: number
}

export interface OnnxGraph {
  readonly name: string
  readonly nodes: readonly OnnxNode[]
  readonly constants: readonly OnnxTensor[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
}

/** IR version 10 and opset 21: what ONNX Runtime has read since 1.18. */
const irVersion = 10
const opsetImport = [
  { domain: '', version: 21 },
  { domain: 'com.microsoft', version: 1 },
]

/** Protobuf holds no more than 2 GiB, and a reader copies it: what is larger than this belongs beside the model. */
const maxInlineBytes = 1024 * 1024

/**
 * An ONNX model as bytes.
 * @throws BrasaError `internal` if a constant within the model is over 1 MiB: write it as external data
 */
export function writeOnnx({ name, nodes, constants, inputs, outputs }: OnnxGraph): Uint8Array {
  const graph = {
    name,
    node: nodes.map(nodeProto),
    initializer: constants.map(tensorProto),
    input: inputs.map(valueProto),
    output: outputs.map(valueProto),
  }
  return encodeModel({ irVersion, producerName: 'brasa', opsetImport, graph })
}

function nodeProto({ op, domain = '', inputs, outputs, attributes = {} }: OnnxNode) {
  return {
    opType: op,
    domain,
    name: outputs[0],
    input: inputs,
    output: outputs,
    attribute: Object.entries(attributes).map(([name, attribute]) => ({
      name,
      ...attributeProto(attribute),
    })),
  }
}

/** With AttributeProto.AttributeType. */
function attributeProto(attribute: OnnxAttribute) {
  if ('float' in attribute) return { f: attribute.float, type: 1 }
  if ('int' in attribute) return { i: attribute.int, type: 2 }
  return { ints: attribute.ints, type: 7 }
}

function valueProto({ name, type, dims }: OnnxValue) {
  const dim = dims.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }))
  return { name, type: { tensorType: { elemType: elementTypes[type], shape: { dim } } } }
}

function tensorProto({ name, type, dims, data }: OnnxTensor) {
  const described = { name, dims, dataType: elementTypes[type] }
  if (data instanceof Uint8Array) {
    if (data.byteLength > maxInlineBytes) {
      throw new BrasaError('internal', {
        message: `Constant "${name}" has ${data.byteLength} bytes: write it as external data.`,
      })
    }
    return { ...described, rawData: data }
  }
  const entries = { location: data.location, offset: data.byteOffset, length: data.byteLength }
  return {
    ...described,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value: String(value) })),
    dataLocation: 1,
  }
}
