import { expose } from 'comlink'
import { installErrorTransfer } from '../error-transfer.ts'
import { BrasaError } from '../errors.ts'
import { createFakeModel } from './fake-model.ts'
import type { LoadModel } from './model.ts'
import { createEngineService } from './service.ts'

/** A worker for tests of the page's side: a model that computes nothing, and prompts that end the worker in every way. */
const loadFake: LoadModel = async ({ model }, { onProgress, signal }) => {
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
  const fake = createFakeModel({ contextLength: 4096, stepMs: model === 'slow' ? 30 : 1 })
  return {
    ...fake,
    encodePrompt: async (input) => {
      if ('prompt' in input) misbehave(input.prompt)
      return fake.encodePrompt(input)
    },
  }
}

function misbehave(prompt: string): void {
  if (prompt === 'loop for ever') for (;;);
  if (prompt === 'close yourself') close()
  if (prompt === 'fail outside of any call') {
    setTimeout(() => {
      throw new Error('out of nowhere')
    })
  }
}

installErrorTransfer()
expose(createEngineService(loadFake))
