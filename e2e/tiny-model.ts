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
