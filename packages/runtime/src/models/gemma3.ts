import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { plainRope, ropeDim, ropeSpec } from './rope.ts'
import { localLayers, slidingWindow } from './sliding-window.ts'

/**
 * Gemma 3: five local layers to one global, each kind with its own RoPE base; queries and keys normalised by head instead of
 * soft-capped scores. Gemma Team 2025, section 2.
 */
export const gemma3: Architecture = {
  names: ['gemma3'],
  async describe(file) {
    const { metadata } = file
    const decoder = decoderOf(file)
    const { hiddenSize, numHeads, headDim } = decoder
    const globalRope = await ropeSpec(file, { pairing: 'half', headDim, defaultTheta: 1_000_000 })
    // Longer contexts were reached by slowing down the global layers only.
    const localTheta = metadata.number('rope.freq_base_swa', () => 10_000)
    const localRope = plainRope('half', ropeDim(file, headDim), localTheta)
    const window = slidingWindow(file)
    const isLocal = metadata.has('attention.sliding_window') ? localLayers(file, 6) : () => false
    // The 27B divides by hiddenSize / numHeads instead of headDim; only its number of layers tells it apart.
    const is27B = decoder.numBlocks === 62
    const logitSoftCap = metadata.number('final_logit_softcapping', () => 0) || undefined
    return decoder.spec(
      (layer) => ({
        attention: {
          norm: layer.norm('attn_norm'),
          ...layer.attention(),
          scale: 1 / Math.sqrt(is27B ? hiddenSize / numHeads : headDim),
          queryNorm: layer.headNorm('attn_q_norm'),
          keyNorm: layer.headNorm('attn_k_norm'),
          window: isLocal(layer.index) ? window : undefined,
          rope: isLocal(layer.index) ? localRope : globalRope,
          postNorm: layer.norm('post_attention_norm'),
        },
        mlp: {
          norm: layer.norm('ffn_norm'),
          ...layer.mlp(),
          activation: 'gelu_tanh',
          postNorm: layer.norm('post_ffw_norm'),
        },
      }),
      { embeddingScale: Math.sqrt(hiddenSize), logitSoftCap },
    )
  },
}
