import { expect, test } from 'vitest'
import { cdp } from 'vitest/browser'
import { tinyModelFile } from '../backends/reference/tiny-model-file.ts'
import { type BrasaError, createEngine } from '../index.ts'

/** The way DevTools does it: chrome://gpucrash. */
const crashGpuProcess = () => cdp().send('Browser.crashGpuProcess' as never)

test('a GPU lost in mid-answer is a typed error, and the next call loads the model again', async () => {
  const phases: string[] = []
  const onProgress = ({ phase }: { phase: string }) => phases.push(phase)
  const engine = await createEngine({ model: tinyModelFile(), backend: 'webgpu', onProgress })
  const request = { prompt: 'hello', max_tokens: 190, ignore_eos: true, temperature: 0 } as const
  const stream = await engine.completions.create({ ...request, stream: true })
  const seen: number[] = []
  let crashed = false
  const answer = (async () => {
    for await (const { choices } of stream) {
      seen.push(...choices[0]!.tokens)
      if (seen.length < 4 || crashed) continue
      crashed = true
      // The command may have no answer: what would send it is gone.
      crashGpuProcess().catch(() => {})
    }
  })()
  const error = await answer.then(
    () => undefined,
    (reason: BrasaError) => reason,
  )
  expect(error?.code).toBe('device_lost')
  expect(error?.message).toMatch(/Ask again/)
  expect(seen.length).toBeLessThan(190)

  phases.length = 0
  const again = await engine.completions.create({ ...request, max_tokens: 8 })
  expect(again.choices[0]!.tokens).toHaveLength(8)
  expect(again.choices[0]!.tokens.slice(0, seen.length)).toEqual(seen.slice(0, 8))
  expect(phases.at(-1)).toBe('ready')
  await engine.dispose()
})
