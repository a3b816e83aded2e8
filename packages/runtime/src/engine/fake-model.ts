import type { Executor } from '../backends/executor.ts'
import { createFakeExecutor, type FakeExecutorOptions } from './fake-executor.ts'
import type { LoadedModel } from './model.ts'
import { createThoughtSplitter } from './thoughts.ts'

/** A model for tests: one token a UTF-16 unit, 0 ends the answer, and an executor that computes nothing. */
export function createFakeModel(
  options: FakeExecutorOptions = {},
  executor: Executor = createFakeExecutor(options),
): LoadedModel {
  const tokenize = (text: string) => Uint32Array.from(text, (character) => character.charCodeAt(0))
  return {
    info: {
      id: 'fake',
      name: 'Fake',
      architecture: 'none',
      quantisation: 'F32',
      contextLength: executor.contextLength,
      sizeBytes: 1,
    },
    executor,
    lookahead: 4,
    answerText: () => ({
      eosTokenIds: new Set([0]),
      tokenText: (token) => String.fromCharCode(token),
      createDecoder: () => ({
        push: (token) => (token === 0 ? '' : String.fromCharCode(token)),
        end: () => '',
      }),
      createThoughtSplitter: () => createThoughtSplitter(false),
    }),
    encodePrompt: async (input) =>
      tokenize('prompt' in input ? input.prompt : input.messages.map(({ content }) => content).join('\n')),
    tokenize,
    tokenBytes: (token) => new TextEncoder().encode(String.fromCharCode(token)),
    counters: () => ({
      dispatches: 0,
      submits: 0,
      buffersCreated: 0,
      bindGroupsCreated: 0,
      queueWrites: 0,
      bytesRead: 0,
    }),
  }
}
