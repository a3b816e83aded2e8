import type { TensorPiece, Weights } from '../backends/weights.ts'
import { BrasaError } from '../errors.ts'
import { ggmlTypes } from '../formats/ggml-types.ts'
import type { GgufHeader, TensorInfo } from '../formats/gguf.ts'
import type { StoredFile } from '../storage/stored-file.ts'

/**
 * The tensors of a stored model, as backends read them.
 * @param header of the model, the tensors of all its files in one map
 * @param files of the model, in the order that `TensorInfo.file` counts
 */
export function modelWeights(
  { tensors }: Pick<GgufHeader, 'tensors'>,
  files: readonly StoredFile[],
): Weights {
  return {
    tensors,
    read: async (name, signal) => {
      const tensor = tensors.get(name)
      if (tensor === undefined) {
        throw new BrasaError('malformed_model', {
          message: `The model has no tensor "${name}". The file is incomplete or of another architecture.`,
          details: { tensor: name },
        })
      }
      return fileOf(files, tensor).read(tensor.byteOffset, tensor.byteLength, signal)
    },
    async *stream(signal) {
      for (const tensor of tensors.values()) fileOf(files, tensor)
      for (const [index, file] of files.entries()) {
        const ordered = [...tensors.values()]
          .filter((tensor) => tensor.file === index && tensor.byteLength > 0)
          .sort((a, b) => a.byteOffset - b.byteOffset)
        for (const tensor of ordered) checkInside(tensor, file)
        yield* streamFile(ordered, file, signal)
      }
    },
  }
}

/** @param tensors in file order, none overlapping another */
async function* streamFile(
  tensors: readonly TensorInfo[],
  file: StoredFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<TensorPiece> {
  let next = 0
  /** The start of a block whose end is in the next shard. */
  let carried: Uint8Array = new Uint8Array(0)

  for await (const shard of file.shards(signal)) {
    const shardEnd = shard.offset + shard.bytes.byteLength
    for (; next < tensors.length; next++) {
      const tensor = tensors[next]!
      if (tensor.byteOffset >= shardEnd) break
      const { blockBytes } = ggmlTypes[tensor.type]
      const tensorEnd = tensor.byteOffset + tensor.byteLength
      let position = Math.max(tensor.byteOffset, shard.offset)

      if (carried.byteLength > 0) {
        const block = new Uint8Array(blockBytes)
        block.set(carried)
        const rest = shard.bytes.subarray(0, blockBytes - carried.byteLength)
        block.set(rest, carried.byteLength)
        if (carried.byteLength + rest.byteLength < blockBytes) {
          carried = block.slice(0, carried.byteLength + rest.byteLength)
          break
        }
        yield { tensor, byteOffset: position - carried.byteLength - tensor.byteOffset, bytes: block }
        position += rest.byteLength
        carried = new Uint8Array(0)
      }

      const available = Math.min(tensorEnd, shardEnd) - position
      const whole = available - (available % blockBytes)
      if (whole > 0) {
        const from = position - shard.offset
        yield {
          tensor,
          byteOffset: position - tensor.byteOffset,
          bytes: shard.bytes.subarray(from, from + whole),
        }
      }
      // A copy: the shard it lies in is about to go.
      carried = shard.bytes.slice(position + whole - shard.offset, position + available - shard.offset)
      if (tensorEnd > shardEnd) break
    }
    if (next === tensors.length) return
  }
}

function checkInside(tensor: TensorInfo, file: StoredFile): void {
  if (tensor.byteOffset + tensor.byteLength <= file.size) return
  throw new BrasaError('truncated_model', {
    message: `Tensor "${tensor.name}" ends at byte ${tensor.byteOffset + tensor.byteLength}, and ${file.name} has ${file.size}: the file is incomplete. Get it again.`,
    details: { tensor: tensor.name, size: file.size },
  })
}

function fileOf(files: readonly StoredFile[], tensor: TensorInfo): StoredFile {
  const file = files[tensor.file]
  if (file !== undefined) return file
  throw new BrasaError('malformed_model', {
    message: `Tensor "${tensor.name}" is in file ${tensor.file + 1}, and the model has ${files.length}: give every part.`,
    details: { tensor: tensor.name },
  })
}
