import { tinyModel } from '../packages/runtime/src/backends/reference/tiny-model.ts'
import { tinyModelFile } from '../packages/runtime/src/backends/reference/tiny-model-file.ts'
import { readGguf } from '../packages/runtime/src/formats/gguf.ts'
import { writeGguf } from '../packages/runtime/src/formats/gguf-writer.ts'

/** A model of random weights that loads in no time and answers nonsense; another `name` is another file. */
export async function tinyModelBytes(name: string): Promise<Buffer> {
  return Buffer.from(await tinyModelFile('tiny.gguf', { 'general.name': name }).arrayBuffer())
}

/** The same in two files, as gguf-split cuts a model. */
export async function splitModelFiles(name: string): Promise<{ name: string; bytes: Buffer }[]> {
  const file = await tinyModelBytes(name)
  const source = {
    size: file.length,
    read: async (offset: number, length: number) => new Uint8Array(file.subarray(offset, offset + length)),
  }
  const { metadata, tensors } = await readGguf(source)
  const all = [...tensors.values()]
  const halves = [all.slice(0, 5), all.slice(5)]
  return halves.map((part, number) => {
    const split = {
      'split.no': number,
      'split.count': halves.length,
      'split.tensors.count': all.length,
    }
    const bytes = writeGguf({
      metadata: { ...(number === 0 ? Object.fromEntries(metadata as Map<string, string>) : {}), ...split },
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
  const bytes = writeGguf({
    metadata: {
      ...contents.metadata,
      'general.name': 'Huge',
      'llama.context_length': 4096,
      'llama.embedding_length': hiddenSize,
      'llama.feed_forward_length': intermediateSize,
      'llama.attention.head_count': 64,
      'llama.attention.head_count_kv': 8,
    },
    tensors: contents.tensors.map((tensor) => ({
      ...tensor,
      shape: shapes[tensor.name.split('.').at(-2)!]!,
      // Where its bytes would be: the header says no more of them than where they begin.
      bytes: new Uint8Array(0),
    })),
  })
  return { bytes: Buffer.from(bytes), totalBytes: 45e9 }
}
