/** Tensor encodings that Brasa decodes, as ggml.h numbers them: values a block holds and bytes it takes. */
export const ggmlTypes = {
  F32: { id: 0, blockSize: 1, blockBytes: 4 },
  F16: { id: 1, blockSize: 1, blockBytes: 2 },
  Q4_0: { id: 2, blockSize: 32, blockBytes: 18 },
  Q4_1: { id: 3, blockSize: 32, blockBytes: 20 },
  Q5_0: { id: 6, blockSize: 32, blockBytes: 22 },
  Q5_1: { id: 7, blockSize: 32, blockBytes: 24 },
  Q8_0: { id: 8, blockSize: 32, blockBytes: 34 },
  Q2_K: { id: 10, blockSize: 256, blockBytes: 84 },
  Q3_K: { id: 11, blockSize: 256, blockBytes: 110 },
  Q4_K: { id: 12, blockSize: 256, blockBytes: 144 },
  Q5_K: { id: 13, blockSize: 256, blockBytes: 176 },
  Q6_K: { id: 14, blockSize: 256, blockBytes: 210 },
  IQ4_NL: { id: 20, blockSize: 32, blockBytes: 18 },
  IQ4_XS: { id: 23, blockSize: 256, blockBytes: 136 },
  BF16: { id: 30, blockSize: 1, blockBytes: 2 },
} as const satisfies Record<string, { id: number; blockSize: number; blockBytes: number }>

/** Names of GGML tensor encodings that Brasa knows how to decode. */
export type GgmlType = keyof typeof ggmlTypes

export const ggmlTypeNames = Object.keys(ggmlTypes) as readonly GgmlType[]

const typesById = new Map<number, GgmlType>(ggmlTypeNames.map((name) => [ggmlTypes[name].id, name]))

/** Encodings that exist in ggml and that Brasa refuses: for the words of the refusal only. */
const unsupportedNames: Readonly<Record<number, string>> = {
  4: 'Q4_2',
  5: 'Q4_3',
  9: 'Q8_1',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  21: 'IQ3_S',
  22: 'IQ2_S',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
}

export function ggmlTypeOf(id: number): GgmlType | undefined {
  return typesById.get(id)
}

/** What ggml calls type `id`, also where Brasa cannot decode it. */
export function ggmlTypeLabel(id: number): string {
  const name = typesById.get(id) ?? unsupportedNames[id]
  return name === undefined ? `type ${id}` : `${name} (type ${id})`
}
