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

test('what the hook counts as written is what is written, however it is said', async ({ page }) => {
  await page.addInitScript(gpuHookScript)
  await page.goto('/bench.html')
  const before = await readGpuCounts(page)
  await page.evaluate(async () => {
    const device = await (await navigator.gpu.requestAdapter())!.requestDevice()
    const buffer = device.createBuffer({ size: 64, usage: GPUBufferUsage.COPY_DST })
    const floats = Float32Array.of(1, 2, 3, 4, 5, 6)
    device.queue.writeBuffer(buffer, 0, floats) // 24
    device.queue.writeBuffer(buffer, 0, floats, 2) // 16: four elements
    device.queue.writeBuffer(buffer, 0, floats, 1, 3) // 12: three elements
    device.queue.writeBuffer(buffer, 0, floats.buffer, 4) // 20: bytes
    device.queue.writeBuffer(buffer, 0, floats.buffer, 4, 8) // 8: bytes
    const usage = GPUBufferUsage.MAP_WRITE | GPUBufferUsage.COPY_SRC
    const staging = device.createBuffer({ size: 32, usage, mappedAtCreation: true }) // 32
    staging.unmap()
    await staging.mapAsync(GPUMapMode.WRITE, 8, 16) // 16
    device.destroy()
  })
  const after = await readGpuCounts(page)
  expect(after.bytesWritten - before.bytesWritten).toBe(24 + 16 + 12 + 20 + 8 + 32 + 16)
})
