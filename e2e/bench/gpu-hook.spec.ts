import { expect, test } from '@playwright/test'
import { gpuHookScript, readGpuCounts } from './gpu-hook.mjs'

// The hook puts a script of its own before each worker's.
test.use({ bypassCSP: true })

test('what the hook counts in our worker is what our engine counts itself', async ({ page }) => {
  await page.addInitScript(gpuHookScript)
  await page.goto('/bench.html')
  await page.waitForFunction(() => 'brasa' in globalThis)
  const engine = await page.evaluateHandle(() => {
    const { brasa } = globalThis as unknown as { brasa: typeof import('@brasa/runtime') }
    return brasa.createEngine({ model: 'smollm2-135m-instruct', backend: 'webgpu' })
  })
  const answer = () =>
    engine.evaluate((engine) =>
      engine.completions.create({
        prompt: ' river stone',
        max_tokens: 6,
        temperature: 0,
        ignore_eos: true,
        top_logprobs: 2,
      }),
    )
  const counts = async () => ({
    hooked: await readGpuCounts(page),
    own: await engine.evaluate((engine) => engine.counters()),
  })
  await answer()
  const before = await counts()
  await answer()
  const after = await counts()
  expect(after.own.dispatches).toBeGreaterThan(before.own.dispatches)
  for (const name of ['dispatches', 'submits', 'buffersCreated', 'bindGroupsCreated', 'bytesRead'] as const) {
    expect(after.hooked[name] - before.hooked[name], name).toBe(after.own[name] - before.own[name])
  }
  const { weightBytes } = await engine.evaluate((engine) => engine.memory())
  expect(after.hooked.bytesHeld).toBeGreaterThan(weightBytes)
  await engine.evaluate((engine) => engine.dispose())
})
