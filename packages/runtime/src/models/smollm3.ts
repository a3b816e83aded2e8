import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'

/** Which layers have no RoPE is not in the file: every model of this architecture has the same rule. */
const noRopeEvery = 4

/** SmolLM3: Llama whose every fourth layer has no positions (NoPE). Bakouch et al. 2025. */
export const smollm3: Architecture = {
  names: ['smollm3'],
  async describe(file) {
    const decoder = decoderOf(file)
    const rope = await ropeSpec(file, { pairing: 'adjacent', headDim: decoder.headDim })
    return decoder.spec((layer) => ({
      attention: {
        norm: layer.norm('attn_norm'),
        ...layer.attention(),
        rope: (layer.index + 1) % noRopeEvery === 0 ? undefined : rope,
      },
      mlp: { norm: layer.norm('ffn_norm'), ...layer.mlp(), activation: 'silu' },
    }))
  },
}
