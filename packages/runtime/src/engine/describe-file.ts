import type { TransformerSpec } from '../backends/transformer-spec.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { readSplitGguf } from '../formats/split-gguf.ts'
import { type DescribeModelOptions, describeModel } from '../models/architectures.ts'
import type { ByteSource } from '../storage/byte-source.ts'

/** What a model's header tells of its shapes: enough to plan with, not to compute with. */
export interface HeaderDescription {
  readonly header: GgufHeader
  readonly spec: TransformerSpec
}

/**
 * Reads and describes a model from its header alone. Vectors that a description would read, which are factors of RoPE's
 * frequencies somewhere among the weights, are taken as ones: they change no size.
 * @throws BrasaError as `readSplitGguf` and `describeModel` do
 */
export async function describeHeader(
  files: readonly ByteSource[],
  signal: AbortSignal | undefined,
  options?: DescribeModelOptions,
): Promise<HeaderDescription> {
  const header = await readSplitGguf(files, signal)
  const readTensor = async (name: string): Promise<Uint8Array> => {
    const { type, file, byteOffset, byteLength } = header.tensors.get(name)!
    if (type === 'F32') return new Uint8Array(new Float32Array(byteLength / 4).fill(1).buffer)
    return files[file]!.read(byteOffset, byteLength, signal)
  }
  return { header, spec: await describeModel(header, readTensor, options) }
}
