import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'

/** Granite 3: Llama with constant multipliers on embeddings, scores, residual branches and logits. Granite Team 2024 (Granite 3.0). */
export const granite: Architecture = {
  names: ['granite'],
  async describe(file) {
    const { metadata } = file
    const decoder = decoderOf(file)
    const rope = await ropeSpec(file, { pairing: 'adjacent', headDim: decoder.headDim })
    // Of this family only: the key says whether there are positions at all.
    const hasRope = metadata.boolean('rope.scaling.finetuned', () => true)
    // 0 is how GGUF writes that there is none.
    const multiplier = (key: string) => metadata.number(key, () => 0) || undefined
    const residualScale = multiplier('residual_scale')
    const attentionScale = multiplier('attention.scale')
    const embeddingScale = multiplier('embedding_scale')
    const logitDivisor = multiplier('logit_scale')
    return decoder.spec(
      (layer) => ({
        attention: {
          norm: layer.norm('attn_norm'),
          ...layer.attention(),
          scale: attentionScale ?? decoder.heads.scale,
          rope: hasRope ? rope : undefined,
          residualScale,
        },
        mlp: {
          norm: layer.norm('ffn_norm'),
          ...layer.mlp(),
          activation: 'silu',
          residualScale,
        },
      }),
      { embeddingScale, logitScale: logitDivisor && 1 / logitDivisor },
    )
  },
}
