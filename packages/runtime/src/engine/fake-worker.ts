import { expose } from 'comlink'
import { installErrorTransfer } from '../error-transfer.ts'
import { BrasaError } from '../errors.ts'
import { createFakeExecutor } from './fake-executor.ts'
import { createFakeModel } from './fake-model.ts'
import type { LoadModel } from './model.ts'
import { createEngineService } from './service.ts'

/** A worker for tests of the page's side: a model that computes nothing, and prompts that end the worker in every way. */
const loadFake: LoadModel = async ({ model, backend, reason }, { onProgress, signal }) => {
  numLoads++
  const onGpu = backend !== 'wasm' && backend !== 'ort'
  if (model === 'no adapter' && onGpu) {
    throw new BrasaError('webgpu_unavailable', {
      message: 'There is no adapter.',
      details: { failedBackend: 'webgpu' },
    })
  }
  if (model === 'nothing but ONNX Runtime' && backend !== 'ort') {
    const failedBackend = onGpu ? 'webgpu' : 'wasm'
    throw new BrasaError('out_of_memory', { message: 'No room.', details: { failedBackend } })
  }
  // ONNX Runtime fails in a worker that had a GPU: so does this.
  if (!onGpu && numLoads > 1) throw new BrasaError('internal', { message: 'Not in a used worker.' })
  if (model === 'broken') {
    throw new BrasaError('hash_mismatch', {
      message: 'Two hashes differ.',
      details: { expected: 'aa', found: 'bb', names: ['x', 'y'], size: 3, isLast: true },
      cause: new TypeError('the inner one', { cause: 'the innermost one' }),
    })
  }
  onProgress({ phase: 'ready', loadedBytes: 1, totalBytes: 1, cachedBytes: 1 })
  if (model === 'deaf') await new Promise(() => {})
  if (model === 'slow to load') {
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new BrasaError('aborted', { message: 'Stopped.' })))
    })
  }
  const lostAtStep = onGpu ? lossesOf(model) : undefined
  const executor = createFakeExecutor({ contextLength: 4096, stepMs: model === 'slow' ? 30 : 1, lostAtStep })
  const device = {
    ...executor.device,
    ...(!onGpu && { backend, reason: reason ?? '' }),
    ...(model === 'loses its GPU for good' && numLoads > 1 && noGpuAnyMore),
  }
  const fake = createFakeModel({}, { ...executor, device })
  return {
    ...fake,
    encodePrompt: async (input) => {
      if ('prompt' in input) misbehave(input.prompt)
      return fake.encodePrompt(input)
    },
  }
}

let numLoads = 0

/** What `auto` takes then. */
const noGpuAnyMore = { backend: 'wasm', reason: 'The GPU is gone.' } as const

/** The step at which this load's GPU is lost. */
function lossesOf(model: unknown): number | undefined {
  if (model === 'loses its GPU') return 40
  if (model === 'loses its GPU at once') return 0
  if (model === 'loses its GPU for good') return numLoads === 1 ? 20 : undefined
  if (model === 'loses its GPU at once, but once') return numLoads === 1 ? 0 : undefined
  return undefined
}

function misbehave(prompt: string): void {
  if (prompt === 'loop for ever') for (;;);
  const end = performance.now() + (prompt === 'compute for 3 s' ? 3000 : 0)
  while (performance.now() < end);
  if (prompt === 'close yourself') close()
  if (prompt === 'fail outside of any call') {
    setTimeout(() => {
      throw new Error('out of nowhere')
    })
  }
}

installErrorTransfer()
expose(createEngineService(loadFake))
