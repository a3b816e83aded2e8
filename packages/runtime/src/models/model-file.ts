import type { LinearSpec, TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'
import type { GgufHeader, GgufValue } from '../formats/gguf.ts'
import { type Metadata, metadataOf } from '../formats/metadata.ts'
import { dequantise } from '../quant/blocks.ts'

/** All bytes of one tensor, as `Weights.read` gives them. */
export type ReadTensor = (name: string) => Promise<Uint8Array>

/** What an architecture reads its description from. It must name every tensor and option it honours; the rest is refused. */
export interface ModelFile {
  /** Under the architecture's own prefix. */
  readonly metadata: Metadata
  has(tensor: string): boolean
  /**
   * The tensor's name, once it is there with this shape.
   * @throws BrasaError `malformed_model` naming the tensor, the expected and the found shape
   */
  tensor(name: string, shape: readonly number[]): LinearSpec
  /** (rows, columns) of a tensor whose shape is not known from elsewhere. */
  shapeOf(name: string): readonly number[]
  /** The values of a small tensor. */
  vector(name: string, length: number): Promise<Float64Array>
  /** @throws BrasaError `unsupported_architecture` naming a key that has another value than one that changes nothing */
  refuseUnless(key: string, ...neutral: readonly GgufValue[]): void
  /** @throws BrasaError `unsupported_architecture` naming a tensor that no call has asked for */
  refuseOtherTensors(): void
}

/** A family of models: how its metadata and tensor names become a description. */
export interface Architecture {
  /** Values of `general.architecture`. */
  readonly names: readonly string[]
  describe(file: ModelFile): Promise<TransformerSpec>
}

export function modelFile(header: GgufHeader, readTensor: ReadTensor): ModelFile {
  const metadata = metadataOf(header)
  const { architecture } = metadata
  const honoured = new Set<string>()

  function infoOf(name: string) {
    const info = header.tensors.get(name)
    if (info !== undefined) return info
    throw new BrasaError('malformed_model', {
      message: `Tensor "${name}" is missing, which a ${architecture} model needs. Download or convert the file again.`,
      details: { tensor: name },
    })
  }
  function tensor(name: string, shape: readonly number[]): LinearSpec {
    const found = infoOf(name).shape
    if (found.length !== shape.length || found.some((length, i) => length !== shape[i])) {
      throw new BrasaError('malformed_model', {
        message: `Tensor "${name}" has the shape (${found.join(', ')}); by its metadata it should be (${shape.join(', ')}). Download or convert the file again.`,
        details: { tensor: name, expected: shape.join(', '), found: found.join(', ') },
      })
    }
    honoured.add(name)
    return { weight: name }
  }

  return {
    metadata,
    tensor,
    has: (name) => header.tensors.has(name),
    shapeOf: (name) => infoOf(name).shape,
    async vector(name, length) {
      tensor(name, [length])
      const values = new Float64Array(length)
      dequantise(infoOf(name).type, await readTensor(name), values)
      return values
    },
    refuseUnless(key, ...neutral) {
      const name = `${architecture}.${key}`
      const value = header.metadata.get(name)
      if (value === undefined || neutral.includes(value)) return
      throw new BrasaError('unsupported_architecture', {
        message: `This model sets ${name} to ${value}, which Brasa does not honour yet. Choose another model.`,
        details: { key: name, value: String(value) },
      })
    },
    refuseOtherTensors() {
      for (const name of header.tensors.keys()) {
        if (honoured.has(name)) continue
        throw new BrasaError('unsupported_architecture', {
          message: `This model has the tensor "${name}", which Brasa's ${architecture} does not use yet. Choose another model.`,
          details: { tensor: name },
        })
      }
    },
  }
}
