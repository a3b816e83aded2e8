import { tinyModel } from '../packages/runtime/src/backends/reference/tiny-model.ts'
import { tinyModelFile } from '../packages/runtime/src/backends/reference/tiny-model-file.ts'
import { writeGguf } from '../packages/runtime/src/formats/gguf-writer.ts'

/** A model of random weights that loads in no time and answers nonsense: `name` makes each another one. */
export async function tinyModelBytes(name: string): Promise<Buffer> {
  const file = tinyModelFile(`${name}.gguf`, { 'general.name': name })
  return Buffer.from(await file.arrayBuffer())
}
