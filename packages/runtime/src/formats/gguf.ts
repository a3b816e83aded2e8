/** Names of GGML tensor encodings that Brasa knows how to decode. */
export type GgmlType =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q8_0'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'IQ4_NL'
  | 'IQ4_XS'

export interface TensorInfo {
  readonly name: string
  readonly type: GgmlType
  /** Row-major as mathematics writes it, the reverse of GGUF's order: (rows, columns). */
  readonly shape: readonly number[]
  /** From the start of the file. */
  readonly byteOffset: number
  readonly byteLength: number
}

export type GgufValue = number | bigint | boolean | string | readonly GgufValue[]

/** The header of a GGUF file, every count and offset in it checked against the file's size. */
export interface GgufHeader {
  readonly version: 2 | 3
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly dataOffset: number
}
