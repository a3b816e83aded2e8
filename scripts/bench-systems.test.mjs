// @ts-check
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requireReachable } from '../e2e/bench/systems/hub.mjs'
import { startSession } from '../e2e/bench/systems/llama-cpp.mjs'
import { tensorBytesOf, webLlm } from '../e2e/bench/systems/web-llm.mjs'
import { ranOnGpu } from '../e2e/bench/systems/wllama.mjs'

const file = {
  ...{ id: 'm', file: 'm.gguf', bytes: 100, sha256: '' },
  ...{ weightBytesPerToken: 90, embeddingBytesApart: 0 },
}

/** @type {string} */
let folder
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brasa-peers-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  // As its version 3.8.1 logs: asked for the GPU on an adapter without shader-f16, and with two threads.
  [false, ['load_tensors:          CPU model buffer size =    93.81 MiB', 'CPU KV buffer size = 22.50 MiB']],
  [
    true,
    ['load_tensors:   CPU_Mapped model buffer size = 30 MiB', 'WebGPU model buffer size =    93.27 MiB'],
  ],
  [false, ['llama_context:     WebGPU compute buffer size = 10 MiB', 'CPU model buffer size = 93.81 MiB']],
  [false, []],
])('wllama ran on the GPU: %s, by what its log says of its weights', (expected, log) => {
  expect(ranOnGpu(log)).toBe(expected)
})

test('a hub that is not there, refuses or lacks the file is out of reach, and says which flag names a folder', async () => {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/there' ? 200 : 404
    response.end()
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  await expect(requireReachable(`${url}/there`, '--some-model')).resolves.toBeUndefined()
  const missing = { status: 'unavailable', message: expect.stringMatching(/answers 404.*--some-model/) }
  await expect(requireReachable(`${url}/config.json`, '--some-model')).rejects.toMatchObject(missing)
  await new Promise((resolve) => server.close(() => resolve(undefined)))
  const gone = { status: 'unavailable', message: expect.stringMatching(/out of reach.*--some-model/) }
  await expect(requireReachable(`${url}/there`, '--some-model')).rejects.toMatchObject(gone)
})

test('WebLLM without a compiled library is out of reach before a browser is opened', async () => {
  const browser = { gpu: false, headed: false, args: [] }
  const peer = webLlm({ url: 'http://localhost:1/', folder, features: [], browser })
  await expect(peer.open()).rejects.toMatchObject({ status: 'unavailable' })
})

test("WebLLM's bytes a token leave out an embedding that is not the head", () => {
  const embedding = { name: 'model.embed_tokens.q_weight', nbytes: 100 }
  const layer = { name: 'model.layers.0.mlp.down_proj.q_weight', nbytes: 10 }
  const head = { name: 'lm_head.q_weight', nbytes: 100 }
  expect(tensorBytesOf([{ records: [embedding] }, { records: [layer] }])).toEqual({
    fileBytes: 110,
    perToken: 110,
  })
  expect(tensorBytesOf([{ records: [embedding, layer, head] }])).toEqual({ fileBytes: 210, perToken: 110 })
})

/** What the process uses of node-llama-cpp, with a model whose likeliest next token is always the one after. */
const fakeLlama = `
const sequence = {
  clearHistory: async () => {},
  async *evaluate(tokens) { for (let token = tokens.length; ; token++) yield token },
  controlledEvaluate: async (asked) =>
    asked.map((one) => {
      if (!Array.isArray(one)) return {}
      const listed = one[1].generateNext.logits.filter.tokens
      return { next: { logits: new Map(listed.map((token, at) => [token, 3 - at])), totalLogitWeight: 2 } }
    }),
}
export const getLlama = async () => ({
  loadModel: async ({ modelPath }) => {
    if (modelPath === 'missing.gguf') throw new Error('There is no such file.')
    return {
      dispose: async () => {},
      tokenize: (text) => {
        if (text.includes('crash')) process.kill(process.pid, 'SIGKILL')
        return text.split(' ')
      },
      createContext: async () => ({ dispose: async () => {}, getSequence: () => sequence }),
    }
  },
})`

test('the process of llama.cpp loads, answers, follows, says what failed, and its end is a crash', async () => {
  const place = join(folder, 'node_modules', 'node-llama-cpp')
  mkdirSync(place, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(place, 'package.json'), '{ "type": "module", "exports": "./index.mjs" }')
  writeFileSync(join(place, 'index.mjs'), fakeLlama)
  const setting = { path: 'm.gguf', file, contextLength: 512, streams: 1 }

  const missing = startSession({ ...setting, path: 'missing.gguf' }, folder)
  await expect(missing.load('server')).rejects.toThrow('There is no such file.')
  await missing.close()

  const session = startSession(setting, folder)
  const { facts } = await session.load('server')
  expect(facts).toMatchObject({ weightBytesPerToken: 90, limit: { device: 'cpu', threads: 2, bytes: 90 } })
  const answer = await session.run({ prompts: ['one two three'], maxTokens: 5 })
  expect(answer).toMatchObject({ promptTokens: 3, answerTokens: 5, firstTokens: 1 })
  expect(answer.totalMs).toBeGreaterThanOrEqual(answer.firstTokenMs)
  const topLogprobs = [/** @type {const} */ ([7, -0.1]), /** @type {const} */ ([8, -3])]
  const step = { position: 1, prefix: '', topLogprobs }
  const found = await session.follow?.({
    name: '',
    tokens: [1, 2, 3],
    steps: [step, { ...step, position: 9 }],
  })
  // Logits 3 and 2 of weights that add up to 2, relative to the largest.
  expect(found).toEqual([
    [
      [7, -Math.LN2],
      [8, -1 - Math.LN2],
    ],
    [],
  ])
  const crashed = { status: 'crashed' }
  await expect(session.run({ prompts: ['crash'], maxTokens: 5 })).rejects.toMatchObject(crashed)
  await expect(session.run({ prompts: ['one'], maxTokens: 5 })).rejects.toMatchObject(crashed)
  await session.close()
})
