import { BrasaError } from '../errors.ts'
import type { GgufHeader } from '../formats/gguf.ts'
import { metadataOf } from '../formats/metadata.ts'

const encoders = /bert|^gemma-embedding$|^llama-embed$|^t5encoder$/

/** @throws BrasaError `unsupported_architecture`, saying what kind of model it is, unless it is a dense decoder of a `known` architecture */
export function refuseOtherKinds({ metadata, tensors }: GgufHeader, known: readonly string[]): void {
  const { architecture } = metadataOf({ metadata })
  const refuse = (what: string) => {
    throw new BrasaError('unsupported_architecture', {
      message: `${what} Choose a model of one of these architectures: ${known.join(', ')}.`,
      details: { architecture, known },
    })
  }
  const option = (key: string) => metadata.get(`${architecture}.${key}`)

  if (encoders.test(architecture) || option('attention.causal') === false) {
    refuse(`This model ("${architecture}") is encoder-only: it makes embeddings and generates no text.`)
  }
  const hasExperts = (option('expert_count') ?? 0) !== 0 || [...tensors.keys()].some(isExpertTensor)
  if (hasExperts || architecture.includes('moe')) {
    refuse(`This model ("${architecture}") is a mixture of experts, which Brasa does not run.`)
  }
  if (!known.includes(architecture)) {
    refuse(`This model's architecture is "${architecture}", which Brasa does not know.`)
  }
}

const isExpertTensor = (name: string) => name.includes('_exps.')
