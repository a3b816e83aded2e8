import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseChatRequest } from '../../api/chat-request.ts'
import { createFakeModel } from '../../engine/fake-model.ts'
import { createModelText } from '../../engine/model-text.ts'
import { openServedModel } from '../../engine/served-model.ts'
import { createEngineService } from '../../engine/service.ts'
import type { GgufHeader } from '../../formats/gguf.ts'
import type { ChatMessage, ToolCall } from '../../protocol.ts'
import type { Executor } from '../executor.ts'
import { testModelCases } from '../model-cases.ts'
import cases from '../reference/fixtures/qwen2.5-coder-0.5b-reference.json'
import { createWasmExecutor } from './executor.ts'
import { distances } from './int8-distance.ts'

const open = async () => {
  const { spec, weights } = await openServedModel('qwen2.5-coder-0.5b-instruct')
  return createWasmExecutor(spec, weights, { contextLength: 1024, precision: 'f32' })
}

describe('in floats', () => testModelCases(open, 0.03, { cases, tie: 0.03 }))

describe('with activations of 8 bits', () => {
  let executor: Executor
  let header: GgufHeader
  beforeAll(async () => {
    const model = await openServedModel('qwen2.5-coder-0.5b-instruct')
    header = model.header
    executor = await createWasmExecutor(model.spec, model.weights, {
      contextLength: 1024,
      precision: 'int8',
    })
  }, 240_000)
  afterAll(() => executor?.dispose())

  test('stays near the float64 distributions', async () => {
    const { meanDivergence, topOneAgreement } = await distances(executor, cases)
    expect(meanDivergence).toBeLessThan(0.0005)
    expect(topOneAgreement).toBeGreaterThan(0.95)
  }, 240_000)

  test('is offered a tool by its own template, calls it unforced, and answers with what it gave', async () => {
    const service = createEngineService(async () => ({
      ...createFakeModel({}, executor),
      ...createModelText(header),
    }))
    let lastStream = 0
    const read = async (begin: (stream: number) => void) => {
      const stream = ++lastStream
      begin(stream)
      const said = { text: '', calls: [] as { name: string; arguments: string }[], end: '' }
      for (;;) {
        const events = await service.next(stream)
        if (events.length === 0) return said
        for (const event of events) {
          if (event.type === 'done') said.end = event.finishReason
          if (event.type !== 'tokens') continue
          said.text += event.text
          for (const { name, arguments: json, index } of event.toolCalls ?? []) {
            said.calls[index] ??= { name: name ?? '', arguments: '' }
            said.calls[index].arguments += json ?? ''
          }
        }
      }
    }
    await read((stream) =>
      service.load(stream, { model: 'qwen', backend: 'wasm', catalogueUrl: '', baseUrl: '' }),
    )
    const parameters = {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    }
    const description = 'Tells the temperature in a city, in degrees.'
    const tools = [{ type: 'function', function: { name: 'temperature_in', description, parameters } }]
    const ask = (messages: readonly ChatMessage[], more: object = {}) => {
      const asked = { messages, tools, tool_choice: 'auto', temperature: 0, max_tokens: 60, ...more }
      return read((stream) => service.generate(stream, parseChatRequest(asked).generate))
    }
    const question: ChatMessage = { role: 'user', content: 'How warm is it in Oslo now?' }
    // Left to itself, a model of code writes the call and leaves its tags out: text, then.
    const [tag] = await service.tokenize({ input: { prompt: '<tool_call>' } })
    const first = await ask([question], { logit_bias: { [tag!]: 20 } })
    expect(first, first.text).toMatchObject({ end: 'tool_calls', calls: [{ name: 'temperature_in' }] })
    const [call] = first.calls
    expect(JSON.parse(call!.arguments)).toEqual({ city: 'Oslo' })
    const called: ToolCall = { id: 'call_1', type: 'function', function: call! }
    const second = await ask([
      question,
      { role: 'assistant', content: first.text, tool_calls: [called] },
      { role: 'tool', content: '17', tool_call_id: 'call_1' },
    ])
    expect(second, second.text).toMatchObject({ end: 'stop', calls: [] })
    expect(second.text).toContain('17')
  }, 240_000)
})
