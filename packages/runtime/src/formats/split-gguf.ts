import type { ByteSource } from '../storage/byte-source.ts'
import { type GgufHeader, readGguf, type TensorInfo } from './gguf.ts'
import { malformed } from './header-cursor.ts'

/**
 * Reads a model that llama.cpp's gguf-split cut into several files, given in order; one file is a model of one part.
 * The result has the first part's metadata and every part's tensors, `file` telling which part holds each.
 * @throws BrasaError `malformed_model` if parts are missing, in the wrong order or of another model; and as `readGguf`
 */
export async function readSplitGguf(
  sources: readonly ByteSource[],
  signal?: AbortSignal,
): Promise<GgufHeader> {
  const parts = await Promise.all(sources.map((source) => readGguf(source, signal)))
  const first = parts[0]
  if (first === undefined) throw malformed('A model needs at least one file.')
  if (parts.length === 1 && !first.metadata.has('split.count')) return first

  const tensors = new Map<string, TensorInfo>()
  for (const [file, part] of parts.entries()) {
    const number = part.metadata.get('split.no')
    const count = part.metadata.get('split.count')
    if (number === undefined || count === undefined) {
      throw malformed(
        `File ${file + 1} of ${parts.length} is not a part of a split GGUF: it has no split.no and split.count.`,
      )
    }
    if (count !== parts.length || number !== file) {
      throw malformed(
        `File ${file + 1} of ${parts.length} says that it is part ${Number(number) + 1} of ${Number(count)}: give every part, in order.`,
        { file },
      )
    }
    for (const tensor of part.tensors.values()) {
      if (tensors.has(tensor.name)) {
        throw malformed(`Two parts have a tensor named "${tensor.name}".`, { tensor: tensor.name })
      }
      tensors.set(tensor.name, { ...tensor, file })
    }
  }
  const expected = first.metadata.get('split.tensors.count')
  if (expected !== undefined && expected !== tensors.size) {
    throw malformed(`The parts have ${tensors.size} tensors and the first one promises ${Number(expected)}.`)
  }
  return { ...first, tensors }
}
