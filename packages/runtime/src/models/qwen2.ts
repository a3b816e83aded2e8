import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'

/** Qwen 1.5, 2 and 2.5: Llama with biases on queries, keys and values. Yang et al. 2024, section 2.2. */
export const qwen2: Architecture = {
  names: ['qwen2'],
  async describe(file) {
    const decoder = decoderOf(file)
    const rope = await ropeSpec(file, { pairing: 'half', headDim: decoder.headDim })
    return decoder.spec((layer) => ({
      attention: { norm: layer.norm('attn_norm'), ...layer.attention({ qkvBias: true }), rope },
      mlp: { norm: layer.norm('ffn_norm'), ...layer.mlp(), activation: 'silu' },
    }))
  },
}
