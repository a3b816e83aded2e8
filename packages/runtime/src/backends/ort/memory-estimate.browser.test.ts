// In a file of its own: ONNX Runtime's heap never shrinks, and each file has another.

import { expect, test } from 'vitest'
import type { MemoryInfo } from '../executor.ts'
import { optionModel } from '../reference/option-models.ts'
import { createOrtExecutor } from './executor.ts'
import { estimateMemory } from './memory-estimate.ts'

const contextLength = 300
const total = ({ weightBytes, kvCacheBytes, otherBytes }: MemoryInfo) =>
  weightBytes + kvCacheBytes + otherBytes

test.each(['int8', 'f32'] as const)(
  'says within a tenth what a filled context holds, in %s',
  async (linears) => {
    const { spec, weights } = optionModel({
      hiddenSize: 256,
      intermediateSize: 1024,
      numHeads: 8,
      numKvHeads: 4,
      headDim: 64,
      numBlocks: 4,
      vocabSize: 8192,
      biases: 'qkv',
      attention: (index) => (index % 2 === 0 ? { window: 100 } : {}),
      types: Object.fromEntries(
        ['token_embd', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'].map(
          (name) => [`${name}.weight`, 'Q8_0' as const],
        ),
      ),
    })
    const executor = await createOrtExecutor(spec, weights, { contextLength, linears })
    const sequence = executor.createSequence()
    await executor.append(sequence, new Uint32Array(contextLength - 1).fill(7))
    await executor.step([{ sequence, token: 7 }])
    const actual = executor.memory()
    const estimate = estimateMemory(spec, weights.tensors, contextLength, linears)
    expect(estimate.weightBytes).toBe(actual.weightBytes)
    expect(estimate.kvCacheBytes).toBe(actual.kvCacheBytes)
    expect(total(estimate) / total(actual)).toBeGreaterThan(0.9)
    expect(total(estimate) / total(actual)).toBeLessThan(1.1)
    executor.dispose()
  },
)
