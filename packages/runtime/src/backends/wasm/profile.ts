// Where the time of a decode step goes: `npm run wasm-profile` runs it in a browser.

import type { ActivationPrecision } from '../executor.ts'
import type { TransformerSpec } from '../transformer-spec.ts'
import type { Weights } from '../weights.ts'
import { createBareDecoder } from './bare-decoder.ts'
import type { FeatureSet } from './kernels.ts'
import { kindNames, opBytes } from './program.ts'

export interface ProfileOptions {
  readonly numThreads: number
  readonly featureSet?: FeatureSet
  readonly precision: ActivationPrecision
  /** Where the token stands: as many keys and values are attended to. */
  readonly positions: readonly number[]
  readonly numTokens: number
}

/** Milliseconds of one token, the lower quartile of `numTokens`. */
export interface TokenProfile {
  readonly position: number
  readonly totalMs: number
  /** By kind of op and, of linear layers, by shape: each op by itself, its own start and end included. */
  readonly opsMs: Readonly<Record<string, number>>
  /** The choice of the greatest logit. */
  readonly sampleMs: number
}

/** @throws BrasaError what `createBareDecoder` throws */
export async function profileTokens(
  spec: TransformerSpec,
  weights: Weights,
  { numThreads, positions, numTokens, ...options }: ProfileOptions,
): Promise<readonly TokenProfile[]> {
  const contextLength = Math.max(...positions) + 1
  const decoder = await createBareDecoder(spec, weights, {
    ...options,
    ...{ contextLength, isShared: numThreads > 1 },
  })
  try {
    const plan = await decoder.planFor(numThreads)
    const runAll = () => {
      for (const { address, numOps } of [plan.body, plan.head]) decoder.run(address, numOps)
    }
    const ops = [plan.body, plan.head].flatMap((program) =>
      Array.from({ length: program.numOps }, (_, index) => {
        const address = program.address + index * opBytes
        const [kind, , , numColumns, numTiles] = decoder.heap.words(address, 5)
        const name = kindNames[kind!]!
        return { address, name: name === 'linear' ? `linear ${numTiles! * 8} x ${numColumns}` : name }
      }),
    )
    return positions.map((position) => {
      decoder.place(plan, position)
      // Until the browser has compiled the kernels as well as it will.
      for (let token = 0; token < 50; token++) runAll()
      const samples: Record<string, number[]> = { total: [], sample: [] }
      for (const { name } of ops) samples[name] = []
      for (let token = 0; token < numTokens; token++) {
        samples.total!.push(timeOf(runAll))
        samples.sample!.push(timeOf(() => decoder.kernels.argmax(plan.logits, spec.vocabSize)))
        const sums: Record<string, number> = {}
        for (const { name, address } of ops)
          sums[name] = (sums[name] ?? 0) + timeOf(() => decoder.run(address, 1))
        for (const [name, ms] of Object.entries(sums)) samples[name]!.push(ms)
      }
      const { total, sample, ...rest } = Object.fromEntries(
        Object.entries(samples).map(([name, times]) => [name, quietOf(times)]),
      )
      return { position, totalMs: total!, opsMs: rest, sampleMs: sample! }
    })
  } finally {
    decoder.dispose()
  }
}

function timeOf(work: () => void): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

/** The lower quartile: what the machine does while nothing else runs, as far as there was such a moment. */
const quietOf = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)]!
