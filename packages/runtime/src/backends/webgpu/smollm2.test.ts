import { afterAll, beforeAll, expect, test } from 'vitest'
import { modelWeights } from '../../engine/model-weights.ts'
import { readGguf } from '../../formats/gguf.ts'
import { describeModel } from '../../models/architectures.ts'
import { createHeapMeter } from '../../storage/heap-meter.ts'
import type { Manifest } from '../../storage/manifest.ts'
import { storedFiles } from '../../storage/stored-file.ts'
import { type Executor, greedySettings } from '../executor.ts'
import cases from '../reference/fixtures/smollm2-reference.json'
import { createWebGpuExecutor } from './executor.ts'

/** The real model against a float64 forward pass of the same file. */

const folder = '/models/smollm2-135m-instruct/'
async function shardFolder() {
  const response = await fetch(`${folder}manifest.json`)
  expect(response.ok, 'Run `npm run fetch` first: the model is not in public/models.').toBe(true)
  const manifest: Manifest = await response.json()
  const load = async (file: number, shard: number) => {
    const { path } = manifest.files[file]!.shards[shard]!
    return new Uint8Array(await (await fetch(folder + path)).arrayBuffer())
  }
  return storedFiles(manifest, load, createHeapMeter())
}

let executor: Executor

beforeAll(async () => {
  const files = await shardFolder()
  const header = await readGguf(files[0]!)
  const weights = modelWeights(header, files)
  const spec = await describeModel(header, (name) => weights.read(name))
  executor = await createWebGpuExecutor(spec, weights, { contextLength: 1024 })
}, 120_000)

afterAll(() => executor.dispose())

test.each(cases)(
  '$name: log-probabilities within 0.02 and greedy tokens where the margin is above 0.02',
  async (reference) => {
    const sequence = executor.createSequence()
    executor.configureSampling(sequence, greedySettings, {
      promptTokens: new Uint32Array(0),
      answerTokens: new Uint32Array(0),
    })
    const prompt = Uint32Array.from(reference.tokens)
    await executor.append(sequence, prompt.subarray(0, -1))
    let token = prompt.at(-1)!
    let worst = 0
    for (const [step, expected] of reference.greedy.entries()) {
      // Teacher-forced, so that one tie does not end the comparison.
      const [result] = await executor.step([{ sequence, token, topLogprobs: 20 }])
      for (const [candidate, logprob] of (reference.topLogprobs[step] ?? []) as [number, number][]) {
        const found = result!.topLogprobs.find((entry) => entry.token === candidate)
        worst = Math.max(worst, found === undefined ? Infinity : Math.abs(found.logprob - logprob))
      }
      if (reference.margin[step]! > 0.02) expect(result!.token, `step ${step}`).toBe(expected)
      token = expected
    }
    expect(worst).toBeLessThan(0.02)
    executor.free(sequence)
  },
  180_000,
)
