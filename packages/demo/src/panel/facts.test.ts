import { expect, test } from 'vitest'
import { en } from '../words/en.ts'
import { es } from '../words/es.ts'
import { type Facts, factSections, reportOf, timedRows, timedVariants } from './facts.ts'

const bare: Facts = {
  pageVersion: '0.1.0',
  userAgent: 'Test/1.0',
  numCores: 8,
  isIsolated: false,
  hasServiceWorker: false,
  isOnline: true,
  choice: 'auto',
  warnings: [],
}

const loaded: Facts = {
  ...bare,
  isIsolated: true,
  deviceMemoryGb: 8,
  adapter: {
    name: 'apple metal-3',
    isSoftware: false,
    features: ['shader-f16', 'subgroups'],
    limits: [['maxBufferSize', 4294967296]],
  },
  storage: { usedBytes: 98e6, quotaBytes: 10e9, isPersistent: false },
  model: {
    id: 'small',
    name: 'Small',
    architecture: 'llama',
    quantisation: 'Q4_1',
    contextLength: 2048,
    sizeBytes: 98e6,
  },
  device: {
    backend: 'wasm',
    adapter: 'the CPU, 8 threads',
    reason: 'WebAssembly was 11 times faster than WebGPU here.',
    features: ['simd', 'threads'],
    threads: 8,
    layerTimes: { webgpu: 58.4, wasm: 5.21 },
  },
  memory: { weightBytes: 97e6, kvCacheBytes: 4.2e6, otherBytes: 2e6 },
  scriptBytes: 12e6,
  warnings: [{ code: 'persist_denied', message: 'It may be cleared.' }],
}

const rowsOf = (facts: Facts, id: string) =>
  Object.fromEntries(factSections(facts, en.device).find((section) => section.id === id)!.rows)

test('the report has all that is known, in plain text', () => {
  expect(reportOf(loaded, en.device)).toBe(`Brasa 0.1.0

Running on
  Model: Small, llama, Q4_1, 98 MB, 2,048 tokens
  Asked for: Automatic
  Backend: WebAssembly
  Adapter: the CPU, 8 threads
  Threads: 8 of 8 cores
  Why: WebAssembly was 11 times faster than WebGPU here.
  One layer on WebAssembly: 5.2 ms
  One layer on WebGPU: 58 ms
  Features in use: simd, threads

Memory
  Weights: 97 MB
  KV cache: 4.2 MB
  Working memory: 2.0 MB
  On the GPU: 0 B
  In WebAssembly: 103 MB
  JavaScript, page and workers: 12 MB

Graphics
  Adapter: apple metal-3
  Kind: hardware
  Features: shader-f16, subgroups

Storage
  Used: 98 MB
  Offered by the browser: about 10 GB
  Persistent: no, the browser may clear it

Browser and page
  Page: Brasa 0.1.0
  Cores: 8
  Device memory: 8 GB or more
  Cross-origin isolated: yes
  Service worker: no
  Online: yes
  User agent: Test/1.0

Limits
  maxBufferSize: 4294967296

Warnings
  persist_denied: It may be cleared.
`)
})

test('before a model is loaded the report says so, and leaves out what is not known', () => {
  const report = reportOf(bare, en.device)
  expect(report).toContain('Model: No model is loaded.')
  expect(report).toContain('Cross-origin isolated: no, so the CPU has one thread')
  expect(report).not.toMatch(/undefined|Memory\n|Graphics|Storage|Backend/)
})

test('a browser without WebGPU is told apart from one that was not asked', () => {
  expect(rowsOf({ ...bare, adapter: null }, 'graphics')).toEqual({ WebGPU: 'not offered by this browser' })
  expect(rowsOf(bare, 'graphics')).toEqual({})
})

test('what the model holds is where its backend computes', () => {
  const device = { ...loaded.device!, backend: 'webgpu' as const, features: ['subgroups'] }
  expect(rowsOf(loaded, 'memory')).toMatchObject({ 'On the GPU': '0 B', 'In WebAssembly': '103 MB' })
  expect(rowsOf({ ...loaded, device }, 'memory')).toMatchObject({
    'On the GPU': '103 MB',
    'In WebAssembly': '0 B',
  })
  expect(rowsOf({ ...loaded, device }, 'graphics')).toMatchObject({ 'Features in use': 'subgroups' })
})

test('measured times come fastest first, and the chosen one is marked', () => {
  expect(timedRows(loaded.device!)).toEqual([
    { name: 'WebAssembly', ms: 5.21, isChosen: true },
    { name: 'WebGPU', ms: 58.4, isChosen: false },
  ])
  const { layerTimes: _, ...untimed } = loaded.device!
  expect(timedRows(untimed)).toEqual([])
})

test('other languages have the same rows', () => {
  const lengths = (words: typeof en.device) => factSections(loaded, words).map(({ rows }) => rows.length)
  expect(lengths(es.device)).toEqual(lengths(en.device))
})

test('the variant that decodes is told with the times of all, and with what was refused', () => {
  const decode = {
    variant: 'quads' as const,
    reason: 'quads was the fastest here.',
    layerMs: { base: 3.04, quads: 2.61 },
    refused: { fused: 'Its results differ.' },
  }
  const device = { ...loaded.device!, backend: 'webgpu' as const, decode }
  expect(timedVariants(device)).toEqual([
    { name: 'quads', ms: 2.61, isChosen: true },
    { name: 'base', ms: 3.04, isChosen: false },
  ])
  expect(timedVariants(loaded.device!)).toEqual([])
  const report = reportOf({ ...loaded, device }, en.device)
  expect(report).toContain(`  Decode variant: quads
`)
  expect(report).toContain(`  Why this variant: quads was the fastest here.
  One layer as quads: 2.6 ms
  One layer as base: 3 ms
  Not used: fused: Its results differ.
`)
})
