import protobuf from 'protobufjs/minimal.js'

type Scalar = 'int64' | 'int32' | 'float' | 'string' | 'bytes'

interface FieldSpec {
  readonly id: number
  /** A scalar, or the name of a message. */
  readonly type: string
  readonly isRepeated: boolean
}

const repeated = (type: string, id: number): FieldSpec => ({ type, id, isRepeated: true })
const single = (type: string, id: number): FieldSpec => ({ type, id, isRepeated: false })

/** The messages of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto) that a model needs, no more. */
const messages: Readonly<Record<string, Readonly<Record<string, FieldSpec>>>> = {
  ModelProto: {
    irVersion: single('int64', 1),
    producerName: single('string', 2),
    graph: single('GraphProto', 7),
    opsetImport: repeated('OperatorSetIdProto', 8),
  },
  OperatorSetIdProto: { domain: single('string', 1), version: single('int64', 2) },
  GraphProto: {
    node: repeated('NodeProto', 1),
    name: single('string', 2),
    initializer: repeated('TensorProto', 5),
    input: repeated('ValueInfoProto', 11),
    output: repeated('ValueInfoProto', 12),
  },
  NodeProto: {
    input: repeated('string', 1),
    output: repeated('string', 2),
    name: single('string', 3),
    opType: single('string', 4),
    attribute: repeated('AttributeProto', 5),
    domain: single('string', 7),
  },
  AttributeProto: {
    name: single('string', 1),
    f: single('float', 2),
    i: single('int64', 3),
    ints: repeated('int64', 8),
    type: single('int32', 20),
  },
  TensorProto: {
    dims: repeated('int64', 1),
    dataType: single('int32', 2),
    name: single('string', 8),
    rawData: single('bytes', 9),
    externalData: repeated('StringStringEntryProto', 13),
    dataLocation: single('int32', 14),
  },
  StringStringEntryProto: { key: single('string', 1), value: single('string', 2) },
  ValueInfoProto: { name: single('string', 1), type: single('TypeProto', 2) },
  TypeProto: { tensorType: single('TensorTypeProto', 1) },
  TensorTypeProto: { elemType: single('int32', 1), shape: single('TensorShapeProto', 2) },
  TensorShapeProto: { dim: repeated('Dimension', 1) },
  Dimension: { dimValue: single('int64', 1), dimParam: single('string', 2) },
}

/** The wire types of https://protobuf.dev/programming-guides/encoding/ that fields here have. */
const wireTypes = { varint: 0, lengthDelimited: 2, fixed32: 5 }
const wireTypeOf: Readonly<Record<Scalar, number>> = {
  int64: wireTypes.varint,
  int32: wireTypes.varint,
  float: wireTypes.fixed32,
  string: wireTypes.lengthDelimited,
  bytes: wireTypes.lengthDelimited,
}

/**
 * A ModelProto as bytes. protobufjs makes its encoders from a schema by compiling text, which a page with a strict content
 * security policy refuses: here the schema is walked, and only the library's writer is used.
 */
export function encodeModel(model: object): Uint8Array {
  return writeMessage(protobuf.Writer.create(), 'ModelProto', model).finish()
}

function writeMessage(writer: protobuf.Writer, name: string, message: object): protobuf.Writer {
  const values = message as Readonly<Record<string, unknown>>
  for (const [key, field] of Object.entries(messages[name]!)) {
    const value = values[key]
    // What is not there reads as ''.
    if (value === undefined || value === '') continue
    for (const item of field.isRepeated ? (value as readonly unknown[]) : [value])
      writeField(writer, field, item)
  }
  return writer
}

function writeField(writer: protobuf.Writer, { id, type }: FieldSpec, value: unknown): void {
  if (type in messages) {
    writeMessage(writer.uint32((id << 3) | wireTypes.lengthDelimited).fork(), type, value as object).ldelim()
    return
  }
  const scalar = type as Scalar
  writer.uint32((id << 3) | wireTypeOf[scalar])
  writer[scalar](value as never)
}
