import type { GgufHeader } from '../formats/gguf.ts'

/** What people want to know of a model, as far as its file says it. */
export interface ModelFacts {
  readonly name: string | undefined
  readonly architecture: string
  readonly quantisation: string
  readonly licence: string | undefined
  /** Weights in all. */
  readonly parameters: number
}

export function modelFacts({ metadata, tensors }: GgufHeader): ModelFacts {
  const text = (key: string) => {
    const value = metadata.get(key)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const fileType = fileTypes[Number(metadata.get('general.file_type'))]
  return {
    name: text('general.name'),
    architecture: text('general.architecture') ?? 'unknown',
    quantisation: fileType ?? mostCommonType(tensors),
    licence: text('general.license'),
    parameters: [...tensors.values()].reduce((sum, { shape }) => sum + countOf(shape), 0),
  }
}

/** `general.file_type` is llama.cpp's llama_ftype; what it no longer writes has no name here. */
const fileTypes: Readonly<Record<number, string>> = {
  ...{ 0: 'F32', 1: 'F16', 2: 'Q4_0', 3: 'Q4_1', 7: 'Q8_0', 8: 'Q5_0', 9: 'Q5_1', 10: 'Q2_K', 11: 'Q3_K_S' },
  ...{ 12: 'Q3_K_M', 13: 'Q3_K_L', 14: 'Q4_K_S', 15: 'Q4_K_M', 16: 'Q5_K_S', 17: 'Q5_K_M', 18: 'Q6_K' },
  ...{ 21: 'Q2_K_S', 25: 'IQ4_NL', 30: 'IQ4_XS', 32: 'BF16' },
}

function mostCommonType(tensors: GgufHeader['tensors']): string {
  const weightsOf = new Map<string, number>()
  for (const { type, shape } of tensors.values()) {
    weightsOf.set(type, (weightsOf.get(type) ?? 0) + countOf(shape))
  }
  return [...weightsOf].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'none'
}

const countOf = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1)
