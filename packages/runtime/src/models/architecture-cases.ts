// Tiny random models of every architecture, with the logits that Hugging Face `transformers` gives them in float64.
// scripts/fixtures/architecture_models.py writes both.

import { describe, expect, it } from 'vitest'
import type { MakeExecutor } from '../backends/option-conformance.ts'
import { logSoftmax } from '../backends/reference/operations.ts'
import { weightsInMemory } from '../backends/reference/tiny-model.ts'
import type { TransformerSpec } from '../backends/transformer-spec.ts'
import type { Weights } from '../backends/weights.ts'
import { type GgufHeader, readGguf } from '../formats/gguf.ts'
import { describeModel } from './architectures.ts'
import records from './fixtures/architectures/logits.json' with { type: 'json' }

export interface ArchitectureCase {
  readonly name: string
  readonly tokens: Uint32Array
  /** Behind each of the last tokens, by row. */
  readonly logits: readonly Float32Array[]
  open(): Promise<{ header: GgufHeader; spec: TransformerSpec; weights: Weights }>
}

const files = import.meta.glob<string>('./fixtures/architectures/*.gguf', {
  query: '?url&inline',
  import: 'default',
})

export const architectureCases: readonly ArchitectureCase[] = records.map(
  ({ name, file, contextLength, tokens, logits }) => ({
    name,
    tokens: Uint32Array.from(tokens),
    logits: rowsOf(new Float32Array(bytesOf(logits).buffer), 8),
    async open() {
      const url = await files[`./fixtures/architectures/${file}`]!()
      const bytes = bytesOf(url.slice(url.indexOf(',') + 1))
      const source = {
        size: bytes.length,
        read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
      }
      const header = await readGguf(source)
      const weights = weightsInMemory(
        [...header.tensors.values()].map((tensor) => ({
          ...tensor,
          bytes: bytes.subarray(tensor.byteOffset, tensor.byteOffset + tensor.byteLength),
        })),
        4096,
      )
      const spec = await describeModel(header, (name) => weights.read(name), { contextLength })
      return { header, spec, weights }
    },
  }),
)

/** Tests of `makeExecutor` on every architecture: log-probabilities within `tolerance` of those of `transformers`. */
export function describeArchitectures(name: string, makeExecutor: MakeExecutor, tolerance: number): void {
  describe(name, () => {
    it.each(architectureCases.map((one) => [one.name, one] as const))(
      `has the log-probabilities of %s within ${tolerance}`,
      async (_, { tokens, logits, open }) => {
        const { spec, weights } = await open()
        const executor = await makeExecutor(spec, weights, { contextLength: 128, maxBatchSize: 1 })
        const sequence = executor.createSequence()
        const numAppended = tokens.length - logits.length
        await executor.append(sequence, tokens.subarray(0, numAppended))
        for (const [row, right] of logits.entries()) {
          const token = tokens[numAppended + row]!
          const [result] = await executor.step([{ sequence, token, topLogprobs: right.length }])
          const expected = logSoftmax(right)
          const distances = result!.topLogprobs.map(({ token, logprob }) =>
            Math.abs(logprob - expected[token]!),
          )
          expect(distances).toHaveLength(right.length)
          expect(Math.max(...distances), `row ${row}`).toBeLessThan(tolerance)
        }
        executor.dispose()
      },
    )
  })
}

function rowsOf(values: Float32Array, numRows: number): Float32Array[] {
  const length = values.length / numRows
  return Array.from({ length: numRows }, (_, row) => values.subarray(row * length, (row + 1) * length))
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}
