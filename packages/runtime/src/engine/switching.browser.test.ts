import { expect, test } from 'vitest'
import { tinyModelFile } from '../backends/reference/tiny-model-file.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { loadEngine } from './load.ts'
import { createEngineService } from './service.ts'

/** Counts the bytes of GPU buffers from now on: those of buffers that were destroyed, or whose device was, are gone. */
function countGpuBytes(): { readonly heldBytes: number } {
  const held = new Map<GPUDevice, Map<GPUBuffer, number>>()
  const { createBuffer, destroy: destroyDevice } = GPUDevice.prototype
  const { destroy: destroyBuffer } = GPUBuffer.prototype
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor)
    const buffers = held.get(this) ?? new Map<GPUBuffer, number>()
    held.set(this, buffers.set(buffer, descriptor.size))
    return buffer
  }
  GPUBuffer.prototype.destroy = function () {
    for (const buffers of held.values()) buffers.delete(this)
    return destroyBuffer.call(this)
  }
  GPUDevice.prototype.destroy = function () {
    held.delete(this)
    return destroyDevice.call(this)
  }
  return {
    get heldBytes() {
      return [...held.values()]
        .flatMap((buffers) => [...buffers.values()])
        .reduce((sum, size) => sum + size, 0)
    },
  }
}

test('after twenty changes of the model the GPU holds what it held after the first', async () => {
  const gpu = countGpuBytes()
  const service = createEngineService(loadEngine)
  let stream = 0
  const run = async () => {
    while ((await service.next(stream)).length > 0);
  }
  const use = async (model: File, contextLength: number) => {
    const { href } = globalThis.location
    service.load(++stream, {
      ...{ model, backend: 'webgpu', contextLength, catalogueUrl: href, baseUrl: href },
    })
    await run()
    return gpu.heldBytes
  }
  const answer = async () => {
    service.generate(++stream, {
      input: { prompt: 'Hello' },
      settings: parseGenerationParameters({ max_tokens: 4, temperature: 0, ignore_eos: true }),
    })
    await run()
  }
  const one = tinyModelFile('one.gguf')
  const other = tinyModelFile('other.gguf', { 'llama.rope.freq_base': 5000 })
  const first = await use(one, 64)
  expect(first).toBeGreaterThan(100_000)
  await answer()
  const second = await use(other, 200)
  await answer()
  for (let change = 2; change < 20; change += 2) {
    expect(await use(one, 64)).toBe(first)
    expect(await use(other, 200)).toBe(second)
  }
  expect(await use(one, 64)).toBe(first)
  await service.dispose()
  await expect.poll(() => gpu.heldBytes).toBe(0)
}, 300_000)
