/**
 * A decoder-only transformer as data. `models/` writes it from GGUF metadata; every backend compiles it.
 * A difference between two architectures is a field here that each backend honours or refuses by name.
 * Strings named `weight` are tensor names in the model file.
 */
export interface TransformerSpec {
  readonly architecture: string
  readonly hiddenSize: number
  readonly vocabSize: number
  /** Tokens the model was trained to attend over. */
  readonly contextLength: number
  readonly embedding: EmbeddingSpec
  readonly blocks: readonly BlockSpec[]
  readonly head: HeadSpec
}

export interface EmbeddingSpec {
  /** (vocabSize, hiddenSize) */
  readonly weight: string
}

/** Pre-norm: x += attention(norm(x)); x += mlp(norm(x)). */
export interface BlockSpec {
  readonly attention: AttentionSpec
  readonly mlp: MlpSpec
}

/** y = x / sqrt(mean(x^2) + epsilon) * weight. Zhang & Sennrich 2019. */
export interface RmsNormSpec {
  /** (hiddenSize) */
  readonly weight: string
  readonly epsilon: number
}

/** y = weight x. */
export interface LinearSpec {
  /** (outputSize, inputSize) */
  readonly weight: string
}

export interface AttentionSpec {
  readonly norm: RmsNormSpec
  readonly numHeads: number
  /** Heads of keys and values; divides `numHeads` (grouped-query attention, Ainslie et al. 2023). */
  readonly numKvHeads: number
  readonly headDim: number
  /** Multiplies query-key products, normally 1 / sqrt(headDim). */
  readonly scale: number
  readonly rope: RopeSpec
  /** (numHeads * headDim, hiddenSize) */
  readonly query: LinearSpec
  /** (numKvHeads * headDim, hiddenSize) */
  readonly key: LinearSpec
  /** (numKvHeads * headDim, hiddenSize) */
  readonly value: LinearSpec
  /** (hiddenSize, numHeads * headDim) */
  readonly output: LinearSpec
}

/** Rotary position embedding. Su et al. 2021. */
export interface RopeSpec {
  /** Which two components turn together: (2i, 2i + 1), as llama's GGUF files have them. */
  readonly pairing: 'adjacent'
  /** How many leading components of a head turn; even, at most headDim. */
  readonly dim: number
  /**
   * (dim / 2) radians per position, scaling already applied; the same array object for layers that share it.
   * `models/rope.ts` computes it from theta, linear scaling and llama3's frequency factors.
   */
  readonly inverseFrequencies: Float64Array
}

/** y = down(activation(gate x) * (up x)). Shazeer 2020. */
export interface MlpSpec {
  readonly norm: RmsNormSpec
  readonly intermediateSize: number
  readonly activation: 'silu'
  /** (intermediateSize, hiddenSize) */
  readonly gate: LinearSpec
  /** (intermediateSize, hiddenSize) */
  readonly up: LinearSpec
  /** (hiddenSize, intermediateSize) */
  readonly down: LinearSpec
}

export interface HeadSpec {
  readonly norm: RmsNormSpec
  /** (vocabSize, hiddenSize); the embedding's own name where the two are tied. */
  readonly weight: string
}
