import type { LinearSpec, TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'
import type { GgufHeader, GgufValue } from '../formats/gguf.ts'
import { type Metadata, metadataOf } from '../formats/metadata.ts'
import { dequantise } from '../quant/blocks.ts'

/** All bytes of one tensor, as `Weights.read` gives them. Only vectors are read: a range of a file far away will do. */
export type ReadTensor = (name: string) => Promise<Uint8Array>

/** What an architecture reads its description from. It must name every tensor and option it honours; the rest is refused. */
export interface ModelFile {
  /** Under the architecture's own prefix. */
  readonly metadata: Metadata
  /** Tokens a sequence will hold: what the load asks for, else what the model was trained for. */
  readonly contextLength: number
  has(tensor: string): boolean
  /**
   * The tensor's name, once it is there with this shape.
   * @throws BrasaError `malformed_model` naming the tensor, the expected and the found shape
   */
  tensor(name: string, shape: readonly number[]): Pick<LinearSpec, 'weight'>
  /** (rows, columns) of a tensor whose shape is not known from elsewhere. */
  shapeOf(name: string): readonly number[]
  /** The values of a small tensor. */
  vector(name: string, length: number): Promise<Float64Array>
  /** A value of a type that `metadata` does not know. */
  option(key: string): GgufValue | undefined
  /** @throws BrasaError `unsupported_architecture` naming a key that has another value than one that changes nothing */
  refuseUnless(key: string, ...neutral: readonly GgufValue[]): void
  /** @throws BrasaError `unsupported_architecture` naming an option or a tensor that no call has asked for */
  refuseTheRest(): void
}

/** A family of models: how its metadata and tensor names become a description. */
export interface Architecture {
  /** Values of `general.architecture`. */
  readonly names: readonly string[]
  describe(file: ModelFile): Promise<TransformerSpec>
}

/**
 * Options that change nothing by themselves: notes, and sizes of tensors that would be refused if they were there (Granite 4's
 * dense models keep those of its hybrids).
 */
const inertOptions =
  /^(vocab_size|tensor_data_layout|rope\.scaling\.(finetuned|original_context_length)|ssm\..*|expert_.*)$/

export function modelFile(
  header: GgufHeader,
  readTensor: ReadTensor,
  { contextLength }: { readonly contextLength?: number | undefined } = {},
): ModelFile {
  const honouredTensors = new Set<string>()
  const honouredOptions = new Set<string>()
  const metadata = noting(metadataOf(header), (key) => honouredOptions.add(key))
  const { architecture } = metadata
  const prefix = `${architecture}.`

  function infoOf(name: string) {
    const info = header.tensors.get(name)
    if (info !== undefined) return info
    throw new BrasaError('malformed_model', {
      message: `Tensor "${name}" is missing, which a ${architecture} model needs. Download or convert the file again.`,
      details: { tensor: name },
    })
  }
  function tensor(name: string, shape: readonly number[]) {
    const found = infoOf(name).shape
    if (found.length !== shape.length || found.some((length, i) => length !== shape[i])) {
      throw new BrasaError('malformed_model', {
        message: `Tensor "${name}" has the shape (${found.join(', ')}); by its metadata it should be (${shape.join(', ')}). Download or convert the file again.`,
        details: { tensor: name, expected: shape.join(', '), found: found.join(', ') },
      })
    }
    honouredTensors.add(name)
    return { weight: name }
  }
  function refuseOption(key: string, value: GgufValue): never {
    const shown = String(value).slice(0, 40)
    throw new BrasaError('unsupported_architecture', {
      message: `This model sets ${prefix}${key} to ${shown}, which Brasa does not honour yet. Choose another model.`,
      details: { key: prefix + key, value: shown },
    })
  }

  return {
    metadata,
    contextLength: contextLength ?? metadata.count('context_length'),
    tensor,
    has: (name) => header.tensors.has(name),
    shapeOf: (name) => infoOf(name).shape,
    async vector(name, length) {
      tensor(name, [length])
      const values = new Float64Array(length)
      dequantise(infoOf(name).type, await readTensor(name), values)
      return values
    },
    option(key) {
      honouredOptions.add(key)
      return header.metadata.get(prefix + key)
    },
    refuseUnless(key, ...neutral) {
      honouredOptions.add(key)
      const value = header.metadata.get(prefix + key)
      if (value !== undefined && !neutral.includes(value)) refuseOption(key, value)
    },
    refuseTheRest() {
      for (const [name, value] of header.metadata) {
        const key = name.slice(prefix.length)
        const isInert = honouredOptions.has(key) || inertOptions.test(key) || saysNothing(value)
        if (name.startsWith(prefix) && !isInert) refuseOption(key, value)
      }
      for (const name of header.tensors.keys()) {
        if (honouredTensors.has(name)) continue
        throw new BrasaError('unsupported_architecture', {
          message: `This model has the tensor "${name}", which Brasa's ${architecture} does not use yet. Choose another model.`,
          details: { tensor: name },
        })
      }
    },
  }
}

/** How converters write that a model does not have something. */
const saysNothing = (value: GgufValue) =>
  !value || value === 'none' || (Array.isArray(value) && !value.some(Boolean))

function noting(metadata: Metadata, note: (key: string) => void): Metadata {
  const noted =
    <T>(read: (key: string, fallback?: () => T) => T) =>
    (key: string, fallback?: () => T): T => {
      note(key)
      return read(key, fallback)
    }
  return {
    architecture: metadata.architecture,
    has: metadata.has,
    number: noted(metadata.number),
    count: noted(metadata.count),
    boolean: noted(metadata.boolean),
    string: noted(metadata.string),
    numbers: noted(metadata.numbers),
    strings: noted(metadata.strings),
  }
}
