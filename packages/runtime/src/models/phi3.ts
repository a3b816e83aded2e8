import { decoderOf } from './decoder.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'
import { slidingWindow } from './sliding-window.ts'

/**
 * Phi-3, Phi-3.5 and Phi-4-mini: Llama with queries, keys and values in one tensor and gate and up in another, and LongRoPE.
 * Abdin et al. 2024, section 2.
 */
export const phi3: Architecture = {
  names: ['phi3'],
  async describe(file) {
    const decoder = decoderOf(file)
    const { hiddenSize, intermediateSize, numHeads, numKvHeads, headDim } = decoder
    const rope = await ropeSpec(file, { pairing: 'half', headDim })
    const window = slidingWindow(file)
    const [querySize, keySize] = [numHeads * headDim, numKvHeads * headDim]
    return decoder.spec((layer) => {
      const [query, key, value] = layer.fused('attn_qkv', [querySize, keySize, keySize], hiddenSize)
      const [gate, up] = layer.fused('ffn_up', [intermediateSize, intermediateSize], hiddenSize)
      return {
        attention: {
          norm: layer.norm('attn_norm'),
          ...decoder.heads,
          ...{ query, key, value },
          output: layer.linear('attn_output', hiddenSize, querySize),
          rope,
          window,
        },
        mlp: {
          norm: layer.norm('ffn_norm'),
          ...{ intermediateSize, gate, up },
          down: layer.linear('ffn_down', hiddenSize, intermediateSize),
          activation: 'silu',
        },
      }
    })
  },
}
