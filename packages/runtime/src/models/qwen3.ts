import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'

/** Qwen 3: no biases; each head of queries and keys is normalised before RoPE. Yang et al. 2025, section 2. */
export const qwen3: Architecture = {
  names: ['qwen3'],
  async describe(file) {
    const decoder = decoderOf(file)
    const rope = await ropeSpec(file, { pairing: 'half', headDim: decoder.headDim })
    return decoder.spec((layer) => ({
      attention: {
        norm: layer.norm('attn_norm'),
        ...layer.attention(),
        queryNorm: layer.headNorm('attn_q_norm'),
        keyNorm: layer.headNorm('attn_k_norm'),
        rope,
      },
      mlp: { norm: layer.norm('ffn_norm'), ...layer.mlp(), activation: 'silu' },
    }))
  },
}
