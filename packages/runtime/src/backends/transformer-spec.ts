/**
 * A decoder-only transformer as data. `models/` writes it from GGUF metadata; every backend compiles it.
 * A difference between two architectures is a field here that each backend honours or refuses by name. A field that is
 * absent is a step that the model does not have. Strings named `weight` and `bias` are tensor names in the model file.
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
  /** Multiplies the looked-up rows: sqrt(hiddenSize) in Gemma, a constant in Granite. 1 if absent. */
  readonly scale?: number
}

/** x += attention(x); x += mlp(x), where each part normalises its input, its output, or both. */
export interface BlockSpec {
  readonly attention: AttentionSpec
  readonly mlp: MlpSpec
}

/** What attention and MLP share: x += residualScale * postNorm(part(norm(x))). */
export interface ResidualPart {
  /** Of the input: pre-norm. Absent in OLMo 2, which normalises outputs only. (hiddenSize) */
  readonly norm?: RmsNormSpec
  /** Of the output, before it is added. (hiddenSize) */
  readonly postNorm?: RmsNormSpec
  /** 1 if absent. */
  readonly residualScale?: number
}

/** y = x / sqrt(mean(x^2) + epsilon) * weight. Zhang & Sennrich 2019. */
export interface RmsNormSpec {
  readonly weight: string
  readonly epsilon: number
}

/** y = weight[rows] x + bias. */
export interface LinearSpec {
  /** (outputSize, inputSize), or more rows than that where `rows` says which. */
  readonly weight: string
  /** A fused tensor's part: these rows are the matrix. All rows if absent. */
  readonly rows?: RowRange
  /** (outputSize) */
  readonly bias?: string
}

export interface RowRange {
  readonly first: number
  readonly count: number
}

export interface AttentionSpec extends ResidualPart {
  readonly numHeads: number
  /** Heads of keys and values; divides `numHeads` (grouped-query attention, Ainslie et al. 2023). */
  readonly numKvHeads: number
  /** A multiple of 4 up to 256; numHeads * headDim need not be hiddenSize. */
  readonly headDim: number
  /** Multiplies query-key products, normally 1 / sqrt(headDim). */
  readonly scale: number
  /** Scores become softCap * tanh(score / softCap), after `scale` and before the mask. Gemma 2, section 2. */
  readonly softCap?: number
  /** The row at position p reads positions p - window + 1 to p: a KV cache need hold no more. Beltagy et al. 2020. */
  readonly window?: number
  /** Absent in layers without positions (NoPE; SmolLM3). */
  readonly rope?: RopeSpec
  /** (numHeads * headDim, hiddenSize) */
  readonly query: LinearSpec
  /** (numKvHeads * headDim, hiddenSize) */
  readonly key: LinearSpec
  /** (numKvHeads * headDim, hiddenSize) */
  readonly value: LinearSpec
  /** Of the queries, after their bias and before RoPE. */
  readonly queryNorm?: HeadNormSpec
  /** Of the keys, after their bias and before RoPE. */
  readonly keyNorm?: HeadNormSpec
  /** (hiddenSize, numHeads * headDim) */
  readonly output: LinearSpec
}

/** An RMS norm of queries or keys. */
export interface HeadNormSpec extends RmsNormSpec {
  /** `head`: each head by itself, weight (headDim), as in Qwen 3. `all`: all heads as one vector, weight (heads * headDim), as in OLMo 2. */
  readonly over: 'head' | 'all'
}

/** Rotary position embedding. Su et al. 2021. */
export interface RopeSpec {
  /** Which two components turn together: (2i, 2i + 1), as llama's GGUF files have them, or (i, i + dim / 2), as GPT-NeoX has them. */
  readonly pairing: 'adjacent' | 'half'
  /** How many leading components of a head turn; even, at most headDim. */
  readonly dim: number
  /**
   * (dim / 2) radians per position, scaling already applied; the same array object for layers that share it.
   * `models/rope.ts` computes it from theta, linear scaling, llama3's and longrope's frequency factors.
   */
  readonly inverseFrequencies: Float64Array
  /** Multiplies cosines and sines: longrope's attention factor. 1 if absent. */
  readonly magnitude?: number
}

/** y = down(activation(gate x) * (up x)). Shazeer 2020. */
export interface MlpSpec extends ResidualPart {
  readonly intermediateSize: number
  /** `gelu_tanh` is 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Hendrycks & Gimpel 2016. */
  readonly activation: 'silu' | 'gelu_tanh'
  /** (intermediateSize, hiddenSize) */
  readonly gate: LinearSpec
  /** (intermediateSize, hiddenSize) */
  readonly up: LinearSpec
  /** (hiddenSize, intermediateSize) */
  readonly down: LinearSpec
}

/** logits = softCap(scale * weight norm(x)). */
export interface HeadSpec {
  readonly norm: RmsNormSpec
  /** (vocabSize, hiddenSize); the embedding's own name where the two are tied. */
  readonly weight: string
  /** Multiplies logits: 1 / logits_scaling in Granite. 1 if absent. */
  readonly scale?: number
  /** Logits become softCap * tanh(logit / softCap). */
  readonly softCap?: number
}
