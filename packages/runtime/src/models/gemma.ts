import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'

/**
 * Gemma: embeddings times sqrt(hiddenSize), a GELU gate, heads wider than hiddenSize / numHeads. Gemma Team 2024, section 2.
 * Its norms multiply by 1 + weight; GGUF files have the 1 in their weights.
 */
export const gemma: Architecture = {
  names: ['gemma'],
  async describe(file) {
    const decoder = decoderOf(file)
    const rope = await ropeSpec(file, { pairing: 'half', headDim: decoder.headDim })
    return decoder.spec(
      (layer) => ({
        attention: { norm: layer.norm('attn_norm'), ...layer.attention(), rope },
        mlp: { norm: layer.norm('ffn_norm'), ...layer.mlp(), activation: 'gelu_tanh' },
      }),
      { embeddingScale: Math.sqrt(decoder.hiddenSize) },
    )
  },
}
