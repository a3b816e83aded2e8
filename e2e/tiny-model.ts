import { tinyModel } from '../packages/runtime/src/backends/reference/tiny-model.ts'
import { tinyModelFile } from '../packages/runtime/src/backends/reference/tiny-model-file.ts'
import { ggmlTypes } from '../packages/runtime/src/formats/ggml-types.ts'
import { readGguf } from '../packages/runtime/src/formats/gguf.ts'
import { writeGguf } from '../packages/runtime/src/formats/gguf-writer.ts'
import { writeOnnx } from '../packages/runtime/src/formats/onnx.ts'

/**
 * A model of random weights that loads in no time and answers nonsense; another `name` is another file.
 * @param description says nothing, and makes the file longer
 */
export async function tinyModelBytes(name: string, description = ''): Promise<Buffer> {
  const metadata = { 'general.name': name, 'general.description': description }
  return Buffer.from(await tinyModelFile('tiny.gguf', metadata).arrayBuffer())
}

/** The same with room for so long an answer that it is still being written when a test looks: a line feed after the other. */
export async function talkativeModelBytes(name: string): Promise<Buffer> {
  const metadata = { 'general.name': name, 'llama.context_length': 50_000 }
  return Buffer.from(await tinyModelFile('tiny.gguf', metadata).arrayBuffer())
}

/** An ONNX model that adds 10 and 20 to rows of two. */
export function addingModelBytes(): Buffer {
  const bias = new Uint8Array(Float32Array.of(10, 20).buffer)
  const bytes = writeOnnx({
    name: 'adding',
    nodes: [{ op: 'Add', inputs: ['x', 'bias'], outputs: ['y'] }],
    constants: [{ name: 'bias', type: 'float32', dims: [2], data: bias }],
    inputs: [{ name: 'x', type: 'float32', dims: ['rows', 2] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['rows', 2] }],
  })
  return Buffer.from(bytes)
}

/** A model of random weights in two files, as gguf-split cuts a model. */
export async function splitModelFiles(name: string): Promise<{ name: string; bytes: Buffer }[]> {
  const file = await tinyModelBytes(name)
  const { metadata, tensors } = await readHeader(file)
  const all = [...tensors.values()]
  const halves = [all.slice(0, 5), all.slice(5)]
  return halves.map((part, number) => {
    const split = {
      'split.no': number,
      'split.count': halves.length,
      'split.tensors.count': all.length,
    }
    const bytes = writeGguf({
      metadata: { ...(number === 0 ? metadata : {}), ...split },
      tensors: part.map(({ name: tensor, type, shape, byteOffset, byteLength }) => ({
        ...{ name: tensor, type, shape },
        bytes: file.subarray(byteOffset, byteOffset + byteLength),
      })),
    })
    return { name: `${name}-0000${number + 1}-of-00002.gguf`, bytes: Buffer.from(bytes) }
  })
}

/** The header of a model of some 70 billion parameters; its server says how long the file would be. */
export async function hugeModelHeader(): Promise<{ bytes: Buffer; totalBytes: number }> {
  const { contents } = tinyModel({ numBlocks: 80 })
  const { metadata } = await readHeader(await tinyModelBytes('Huge'))
  const [hiddenSize, keySize, intermediateSize] = [8192, 1024, 28_672]
  const shapes: Readonly<Record<string, readonly number[]>> = {
    attn_norm: [hiddenSize],
    ffn_norm: [hiddenSize],
    output_norm: [hiddenSize],
    token_embd: [131, hiddenSize],
    attn_q: [hiddenSize, hiddenSize],
    attn_k: [keySize, hiddenSize],
    attn_v: [keySize, hiddenSize],
    attn_output: [hiddenSize, hiddenSize],
    ffn_gate: [intermediateSize, hiddenSize],
    ffn_up: [intermediateSize, hiddenSize],
    ffn_down: [hiddenSize, intermediateSize],
  }
  const tensors = contents.tensors.map((tensor) => ({
    ...tensor,
    shape: shapes[tensor.name.split('.').at(-2)!]!,
    bytes: new Uint8Array(0),
  }))
  const header = Buffer.from(
    writeGguf({
      metadata: {
        ...metadata,
        'llama.block_count': 80,
        'llama.context_length': 4096,
        'llama.embedding_length': hiddenSize,
        'llama.feed_forward_length': intermediateSize,
        'llama.attention.head_count': 64,
        'llama.attention.head_count_kv': 8,
      },
      tensors,
    }),
  )
  // Each begins where the one before it would end: after the name come the dimensions, the type and that place.
  let offset = 0
  for (const { name, type, shape } of tensors) {
    const at = header.indexOf(name) + name.length + 4 + 8 * shape.length + 4
    header.writeBigUInt64LE(BigInt(offset), at)
    const { blockSize, blockBytes } = ggmlTypes[type]
    const count = shape.reduce((product, length) => product * length, 1)
    offset = Math.ceil(((count / blockSize) * blockBytes + offset) / 32) * 32
  }
  return { bytes: header, totalBytes: Math.ceil(header.length / 32) * 32 + offset }
}

async function readHeader(file: Buffer) {
  const { metadata, tensors } = await readGguf({
    size: file.length,
    read: async (offset, length) => new Uint8Array(file.subarray(offset, offset + length)),
  })
  return { metadata: Object.fromEntries(metadata as Map<string, string>), tensors }
}
