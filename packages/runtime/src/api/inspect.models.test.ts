import { afterEach, expect, test } from 'vitest'
import { inspectModel } from '../engine/inspect.ts'
import { createEngine, type Engine } from '../index.ts'

const qwen = 'qwen2.5-coder-0.5b-instruct'
const catalogueUrl = new URL('/models/models.json', globalThis.location.href).href
const request = { model: qwen, catalogueUrl, baseUrl: globalThis.location.href }

let engine: Engine | undefined
afterEach(async () => {
  await engine?.dispose()
  engine = undefined
})

test('inspects a file of 491 MB from less than 12 MB of it', async () => {
  performance.clearResourceTimings()
  performance.setResourceTimingBufferSize(1000)
  const inspection = await inspectModel(request)
  expect(inspection).toMatchObject({
    ...{ architecture: 'qwen2', quantisation: 'Q4_K_M', contextLength: 32_768, licence: 'Apache-2.0' },
    ...{ sizeBytes: 491_400_064, parameters: 630_167_424 },
    template: { system: true, tools: true, thinking: false },
  })
  const shards = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.bin'))
  const fetched = (shards as PerformanceResourceTiming[]).reduce(
    (sum, { encodedBodySize }) => sum + encodedBodySize,
    0,
  )
  expect(fetched).toBeGreaterThan(5_900_000)
  expect(fetched).toBeLessThan(12_000_000)
}, 60_000)

test.each(['webgpu', 'ort'] as const)(
  'estimates the memory of %s within a tenth',
  async (backend) => {
    const contextLength = 128
    engine = await createEngine({ model: qwen, backend, contextLength, catalogueUrl })
    // A sequence that fills the context.
    await engine.completions.create({
      prompt: ' word'.repeat(contextLength - 4),
      temperature: 0,
      ignore_eos: true,
    })
    const actual = await engine.memory()
    const estimate = (await inspectModel({ ...request, contextLength })).memory[backend]
    const ratio = estimate.totalBytes / (actual.weightBytes + actual.kvCacheBytes + actual.otherBytes)
    expect(ratio, JSON.stringify({ estimate, actual })).toBeGreaterThan(0.9)
    expect(ratio, JSON.stringify({ estimate, actual })).toBeLessThan(1.1)
  },
  240_000,
)
