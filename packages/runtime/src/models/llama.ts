import type { RmsNormSpec, TransformerSpec } from '../backends/transformer-spec.ts'
import { BrasaError } from '../errors.ts'
import type { Architecture } from './model-file.ts'
import { ropeSpec } from './rope.ts'

/** Llama, Mistral, TinyLlama, SmolLM2: pre-norm attention and a SwiGLU MLP. Touvron et al. 2023, section 2. */
export const llama: Architecture = {
  names: ['llama'],
  async describe(file): Promise<TransformerSpec> {
    const { metadata, tensor } = file
    const hiddenSize = metadata.count('embedding_length')
    const intermediateSize = metadata.count('feed_forward_length')
    const numHeads = metadata.count('attention.head_count')
    const numKvHeads = metadata.count('attention.head_count_kv', () => numHeads)
    const headDim = metadata.count('attention.key_length', () => hiddenSize / numHeads)
    const epsilon = metadata.number('attention.layer_norm_rms_epsilon')
    if (!Number.isInteger(headDim) || headDim % 2 !== 0 || numHeads % numKvHeads !== 0) {
      throw new BrasaError('malformed_model', {
        message: `${numHeads} heads of ${headDim} on ${numKvHeads} key-value heads do not divide. Download or convert the file again.`,
        details: { numHeads, numKvHeads, headDim },
      })
    }
    file.refuseUnless('expert_count', 0)
    file.refuseUnless('attention.value_length', headDim)
    file.refuseUnless('attention.causal', true)
    file.refuseUnless('attention.sliding_window', 0, metadata.count('context_length'))
    for (const key of ['attention.scale', 'attention.clamp_kqv', 'attention.max_alibi_bias'])
      file.refuseUnless(key, 0)
    for (const key of ['attn_logit_softcapping', 'final_logit_softcapping']) file.refuseUnless(key, 0)
    for (const key of ['embedding_scale', 'residual_scale', 'logit_scale']) file.refuseUnless(key, 0, 1)

    const rope = await ropeSpec(file, headDim)
    const rmsNorm = (name: string): RmsNormSpec => ({ ...tensor(`${name}.weight`, [hiddenSize]), epsilon })
    const linear = (name: string, outputSize: number, inputSize: number) =>
      tensor(`${name}.weight`, [outputSize, inputSize])

    const [vocabSize = 0] = file.shapeOf('token_embd.weight')
    const embedding = tensor('token_embd.weight', [vocabSize, hiddenSize])
    const blocks = []
    for (let index = 0; index < metadata.count('block_count'); index++) {
      const block = `blk.${index}`
      blocks.push({
        attention: {
          norm: rmsNorm(`${block}.attn_norm`),
          numHeads,
          numKvHeads,
          headDim,
          scale: 1 / Math.sqrt(headDim),
          rope,
          query: linear(`${block}.attn_q`, numHeads * headDim, hiddenSize),
          key: linear(`${block}.attn_k`, numKvHeads * headDim, hiddenSize),
          value: linear(`${block}.attn_v`, numKvHeads * headDim, hiddenSize),
          output: linear(`${block}.attn_output`, hiddenSize, numHeads * headDim),
        },
        mlp: {
          norm: rmsNorm(`${block}.ffn_norm`),
          intermediateSize,
          activation: 'silu' as const,
          gate: linear(`${block}.ffn_gate`, intermediateSize, hiddenSize),
          up: linear(`${block}.ffn_up`, intermediateSize, hiddenSize),
          down: linear(`${block}.ffn_down`, hiddenSize, intermediateSize),
        },
      })
    }
    const norm = rmsNorm('output_norm')
    const isTied = !file.has('output.weight')
    const head = isTied ? embedding : linear('output', vocabSize, hiddenSize)
    return {
      architecture: 'llama',
      hiddenSize,
      vocabSize,
      contextLength: metadata.count('context_length'),
      embedding,
      blocks,
      head: { norm, ...head },
    }
  },
}
