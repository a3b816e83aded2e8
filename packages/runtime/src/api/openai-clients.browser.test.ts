import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe } from 'vitest'
import {
  createEngine,
  type Engine,
  listStoredModels,
  type Registration,
  registerBrasa,
  removeStoredModel,
} from '../index.ts'
import { testAiSdk } from './ai-sdk.test-support.ts'
import { testScores } from './echo-scores.test-support.ts'
import { model, testOpenAiClient } from './openai-client.test-support.ts'
import { testSampling } from './sampling.test-support.ts'
import { testStructuredAnswers } from './structured-answers.test-support.ts'
import { testStructuredFormats } from './structured-formats.test-support.ts'

let engine: Engine
let registration: Registration

/** Ways to the engine: its own fetch, and the page's, which a service worker answers. */
const ways = {
  'engine.fetch': () => ({ baseURL: 'https://brasa.invalid/v1', fetch: engine.fetch }),
  'a service worker': () => ({ baseURL: registration.baseUrl }),
} as const
const wayNames = Object.keys(ways) as (keyof typeof ways)[]

const openAi = (way: keyof typeof ways) =>
  new OpenAI({ ...ways[way](), apiKey: 'none', dangerouslyAllowBrowser: true, maxRetries: 0 })

beforeAll(async () => {
  engine = await createEngine({
    model,
    backend: 'wasm',
    contextLength: 1024,
    catalogueUrl: '/models/models.json',
  })
  registration = await registerBrasa(engine, {
    script: new URL('../service-worker.ts', import.meta.url),
    scope: '/',
  })
  await registration.elected
}, 120_000)

afterAll(async () => {
  registration?.release()
  for (const each of await navigator.serviceWorker.getRegistrations()) await each.unregister()
  await engine?.dispose()
  for (const { id } of await listStoredModels()) await removeStoredModel(id)
})

describe.each(wayNames)('through %s, the openai client', (way) => {
  testOpenAiClient(
    () => openAi(way),
    () => engine,
  )
  testStructuredAnswers(() => openAi(way))
})

describe.each(wayNames)('through %s, the AI SDK', (way) => {
  const options = { name: 'brasa', includeUsage: true, supportsStructuredOutputs: true }
  testAiSdk(
    () => createOpenAICompatible({ ...options, ...ways[way]() }),
    () => engine,
  )
})

describe.each(wayNames)('through %s, scores by echo', (way) => {
  // The prompts differ, the way does not.
  testScores(() => openAi(way), way === 'engine.fetch' ? undefined : ['capital'])
})

describe('sampling', () => testSampling(() => openAi('engine.fetch')))

describe('formats', () => testStructuredFormats(() => engine))
