import protobuf from 'protobufjs/minimal.js'
import { BrasaError } from '../errors.ts'

/** Which fields of a message hold messages that may lead to a tensor. Numbers of onnx.proto. */
interface Message {
  readonly [field: number]: () => Message
}

const tensor: Message = {}
const graph: Message = { 1: () => node, 5: () => tensor }
const attribute: Message = { 5: () => tensor, 6: () => graph, 10: () => tensor, 11: () => graph }
const node: Message = { 5: () => attribute }
const modelFunction: Message = { 7: () => node }
const model: Message = { 7: () => graph, 25: () => modelFunction }

/** Of ModelProto and TensorProto. */
const graphField = 7
const externalDataField = 13

/**
 * The files beside an ONNX model that hold tensors of it, as the model names them. Reads the messages' outlines only: the
 * tensors' bytes are passed over.
 * @throws BrasaError `not_an_onnx`; `malformed_model` for a path that leaves the model's folder
 */
export function externalDataPaths(bytes: Uint8Array, name: string): readonly string[] {
  const paths = new Set<string>()
  let hasGraph = false

  function walk(reader: protobuf.Reader, end: number, message: Message): void {
    while (reader.pos < end) {
      const tag = reader.uint32()
      const [field, wireType] = [tag >>> 3, tag & 7]
      if (field === 0) throw new Error('a field without a number')
      const child = message[field]?.()
      const isPath = message === tensor && field === externalDataField
      if (wireType !== 2 || (child === undefined && !isPath)) {
        reader.skipType(wireType)
        continue
      }
      if (message === model && field === graphField) hasGraph = true
      const childEnd = reader.uint32() + reader.pos
      if (childEnd > end) throw new Error('a message longer than what holds it')
      if (child === undefined) addLocation(reader, childEnd)
      else walk(reader, childEnd, child)
      if (reader.pos !== childEnd) throw new Error('a message that ends elsewhere')
    }
  }

  /** StringStringEntryProto: key 1, value 2. */
  function addLocation(reader: protobuf.Reader, end: number): void {
    let key = ''
    let value = ''
    while (reader.pos < end) {
      const tag = reader.uint32()
      if (tag === 10) key = reader.string()
      else if (tag === 18) value = reader.string()
      else reader.skipType(tag & 7)
    }
    if (key === 'location') paths.add(value)
  }

  try {
    walk(protobuf.Reader.create(bytes), bytes.byteLength, model)
  } catch (cause) {
    throw notOnnx(name, cause)
  }
  if (!hasGraph) throw notOnnx(name)
  for (const path of paths) checkPath(path, name)
  return [...paths]
}

/** A path in a downloaded model is not to be trusted: it may name anything. */
function checkPath(path: string, name: string): void {
  const parts = path.replace(/^\.\//, '').split('/')
  if (/^[^\\:?#%\0]+$/.test(path) && parts.every((part) => part !== '' && part !== '.' && part !== '..'))
    return
  throw new BrasaError('malformed_model', {
    message: `${name} keeps tensors in ${JSON.stringify(path)}, which is not a file in the model’s own folder. Do not trust this model; or save it again with its data beside it.`,
    details: { path },
  })
}

function notOnnx(name: string, cause?: unknown): BrasaError {
  return new BrasaError('not_an_onnx', {
    message: `${name} is not an ONNX model, or a damaged one. Check that it is the .onnx file itself.`,
    details: { name },
    cause,
  })
}
