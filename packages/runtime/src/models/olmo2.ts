import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'

/**
 * OLMo 2: each part's output is normalised and not its input; queries and keys are normalised as whole vectors.
 * OLMo Team 2024, section 2.1.
 */
export const olmo2: Architecture = {
  names: ['olmo2'],
  async describe(file) {
    const decoder = decoderOf(file)
    const rope = await ropeSpec(file, { pairing: 'half', headDim: decoder.headDim })
    return decoder.spec((layer) => ({
      attention: {
        ...layer.attention(),
        queryNorm: layer.allHeadsNorm('attn_q_norm', decoder.numHeads),
        keyNorm: layer.allHeadsNorm('attn_k_norm', decoder.numKvHeads),
        rope,
        postNorm: layer.norm('post_attention_norm'),
      },
      mlp: { ...layer.mlp(), activation: 'silu', postNorm: layer.norm('post_ffw_norm') },
    }))
  },
}
