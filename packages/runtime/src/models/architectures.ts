import type { TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { llama } from './llama.ts'
import { type Architecture, modelFile, type ReadTensor } from './model-file.ts'

const architectures: readonly Architecture[] = [llama]

/**
 * The description of the model in a file, every tensor it needs checked for presence and shape. Reads only small tensors.
 * @throws BrasaError `unsupported_architecture` naming the architecture, option or tensor that Brasa does not honour;
 *   `malformed_model` naming the key or tensor that is wrong; what `readTensor` throws
 */
export async function describeModel(header: GgufHeader, readTensor: ReadTensor): Promise<TransformerSpec> {
  const file = modelFile(header, readTensor)
  const { architecture: name } = file.metadata
  const architecture = architectures.find(({ names }) => names.includes(name))
  if (architecture === undefined) {
    const known = architectures.flatMap(({ names }) => names)
    throw new BrasaError('unsupported_architecture', {
      message: `This model's architecture is "${name}"; Brasa runs ${known.join(', ')}. Choose a model of one of these.`,
      details: { architecture: name, known },
    })
  }
  const spec = await architecture.describe(file)
  file.refuseOtherTensors()
  return spec
}
