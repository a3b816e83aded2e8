import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'
import { slidingWindow } from './sliding-window.ts'

/**
 * Llama 1 to 3.2, Mistral, TinyLlama, SmolLM2: pre-norm attention and a SwiGLU MLP. Touvron et al. 2023, section 2.
 * Mistral 7B's first version has a window on every layer: Jiang et al. 2023, section 2.
 */
export const llama: Architecture = {
  names: ['llama'],
  async describe(file) {
    const decoder = decoderOf(file)
    const rope = await ropeSpec(file, { pairing: 'adjacent', headDim: decoder.headDim })
    const window = slidingWindow(file)
    return decoder.spec((layer) => ({
      attention: {
        norm: layer.norm('attn_norm'),
        ...layer.attention(),
        rope,
        window,
      },
      mlp: { norm: layer.norm('ffn_norm'), ...layer.mlp(), activation: 'silu' },
    }))
  },
}
