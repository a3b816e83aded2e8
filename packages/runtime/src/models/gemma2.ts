import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'
import { localLayers, slidingWindow } from './sliding-window.ts'

/**
 * Gemma 2: soft-capped scores and logits, norms on both sides of each part, a window on every other layer.
 * Gemma Team 2024 (Gemma 2), section 2.
 */
export const gemma2: Architecture = {
  names: ['gemma2'],
  async describe(file) {
    const { metadata } = file
    const decoder = decoderOf(file)
    const { hiddenSize, numHeads, headDim } = decoder
    const rope = await ropeSpec(file, { pairing: 'half', headDim })
    const window = slidingWindow(file, 4096)
    const isLocal = localLayers(file, 2)
    // 0 is no cap.
    const softCap = metadata.number('attn_logit_softcapping', () => 50) || undefined
    const logitSoftCap = metadata.number('final_logit_softcapping', () => 30) || undefined
    // The 27B divides by hiddenSize / numHeads instead of headDim; only its number of layers tells it apart.
    const is27B = decoder.numBlocks === 46
    return decoder.spec(
      (layer) => ({
        attention: {
          norm: layer.norm('attn_norm'),
          ...layer.attention(),
          scale: 1 / Math.sqrt(is27B ? hiddenSize / numHeads : headDim),
          softCap,
          window: isLocal(layer.index) ? window : undefined,
          rope,
          postNorm: layer.norm('post_attention_norm'),
        },
        mlp: {
          norm: layer.norm('ffn_norm'),
          ...layer.mlp(),
          activation: 'gelu_tanh',
          postNorm: layer.norm('post_ffw_norm'),
        },
      }),
      {
        embeddingScale: Math.sqrt(hiddenSize),
        logitSoftCap,
      },
    )
  },
}
