import type { TransformerSpec } from '../backends/transformer-spec.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { gemma } from './gemma.ts'
import { gemma2 } from './gemma2.ts'
import { gemma3 } from './gemma3.ts'
import { granite } from './granite.ts'
import { llama } from './llama.ts'
import { type Architecture, modelFile, type ReadTensor } from './model-file.ts'
import { olmo2 } from './olmo2.ts'
import { phi3 } from './phi3.ts'
import { qwen2 } from './qwen2.ts'
import { qwen3 } from './qwen3.ts'
import { smollm3 } from './smollm3.ts'
import { refuseOtherKinds } from './unsupported.ts'

const architectures: readonly Architecture[] = [
  ...[llama, qwen2, qwen3, gemma, gemma2, gemma3, phi3, olmo2, granite, smollm3],
]

export interface DescribeModelOptions {
  /** Tokens a sequence will hold; LongRoPE has other frequencies for long ones. What the model was trained for if left out. */
  readonly contextLength?: number | undefined
}

/**
 * The description of the model in a file, every tensor it needs checked for presence and shape. Reads at most the vectors of
 * RoPE's frequency factors, so that a header and a few small ranges are enough.
 * @throws BrasaError `unsupported_architecture` naming the architecture, option or tensor that Brasa does not honour;
 *   `malformed_model` naming the key or tensor that is wrong; what `readTensor` throws
 */
export async function describeModel(
  header: GgufHeader,
  readTensor: ReadTensor,
  options?: DescribeModelOptions,
): Promise<TransformerSpec> {
  const known = architectures.flatMap(({ names }) => names)
  refuseOtherKinds(header, known)
  const file = modelFile(header, readTensor, options)
  const architecture = architectures.find(({ names }) => names.includes(file.metadata.architecture))!
  const spec = await architecture.describe(file)
  file.refuseTheRest()
  return spec
}
