import Ajv from 'ajv'
import type OpenAI from 'openai'
import { expect, test } from 'vitest'
import { collect, greedy, messages, model } from './openai-client.test-support.ts'

export const citySchema = {
  type: 'object' as const,
  properties: { city: { type: 'string' as const, maxLength: 12 } },
  required: ['city'],
  additionalProperties: false,
}

export function expectValid(schema: object, answer: unknown): void {
  expect(new Ajv().validate(schema, answer), JSON.stringify(answer)).toBe(true)
}

/** What of OpenAI's API holds an answer to a form, on a real model. */
export function testStructuredAnswers(clientOf: () => OpenAI): void {
  /** An answer in a format that may be none of OpenAI's. */
  const answerIn = async (response_format: object, prompt = messages[0]!.content, max_tokens = 60) => {
    const asked = { ...greedy, messages: [{ role: 'user', content: prompt }], max_tokens, response_format }
    const { choices } = await clientOf().chat.completions.create(
      asked as OpenAI.ChatCompletionCreateParamsNonStreaming,
    )
    expect(choices[0]!.finish_reason).toBe('stop')
    return choices[0]!.message.content!
  }

  test('gets JSON that keeps to its schema', async () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 12 }, large: { type: 'boolean' } },
      required: ['city', 'large'],
      additionalProperties: false,
    }
    const text = await answerIn({
      type: 'json_schema',
      json_schema: { name: 'capital', schema, strict: true },
    })
    expectValid(schema, JSON.parse(text))
  })

  test('gets some object, and what a pattern and a grammar spell', async () => {
    const json = await answerIn(
      { type: 'json_object' },
      'Write {"name": "Ann", "age": 31} again, and nothing else.',
    )
    expect(JSON.parse(json)).toBeTypeOf('object')
    expect(json).toMatch(/^\{/)
    expect(await answerIn({ type: 'regex', pattern: '[A-Z][a-z]{2,8}, \\d{4}' })).toMatch(
      /^[A-Z][a-z]{2,8}, \d{4}$/,
    )
    const grammar = 'root ::= move (" " move)? "!"\nmove ::= ("north" | "south") "-" [1-9]'
    expect(await answerIn({ type: 'grammar', grammar })).toMatch(
      /^(north|south)-[1-9]( (north|south)-[1-9])?!$/,
    )
  })

  test('has the model call a tool, and answer with its result', async () => {
    const openai = clientOf()
    const tools = [{ type: 'function' as const, function: { name: 'population_of', parameters: citySchema } }]
    const asked = { ...greedy, tools, max_tokens: 60 }
    const { choices } = await openai.chat.completions.create({
      ...asked,
      tool_choice: 'required',
      parallel_tool_calls: false,
    })
    const { message, finish_reason } = choices[0]!
    expect(finish_reason).toBe('tool_calls')
    const [call] = message.tool_calls! as OpenAI.ChatCompletionMessageFunctionToolCall[]
    expect(call!.function.name).toBe('population_of')
    expectValid(citySchema, JSON.parse(call!.function.arguments))

    const result = { role: 'tool' as const, tool_call_id: call!.id, content: '2,100,000' }
    const next = await openai.chat.completions.create({
      ...asked,
      messages: [...messages, message, result],
      tool_choice: 'none',
    })
    expect(next.choices[0]!.message.content).toContain('2,100,000')
  })

  test('has a tool called by a response, its arguments as they come, and answered with its result', async () => {
    const openai = clientOf()
    const asked = {
      ...{ model, temperature: 0, max_output_tokens: 60, parallel_tool_calls: false },
      tools: [{ type: 'function' as const, name: 'population_of', parameters: citySchema, strict: true }],
    }
    const input = [{ role: 'user' as const, content: messages[0]!.content }]
    const stream = openai.responses.stream({ ...asked, input, tool_choice: 'required' })
    const events = await collect(stream)
    const { output } = await stream.finalResponse()
    const [call] = output
    if (call?.type !== 'function_call') throw new Error('No call.')
    expectValid(citySchema, JSON.parse(call.arguments))
    const deltas = events.flatMap((event) =>
      event.type === 'response.function_call_arguments.delta' ? [event.delta] : [],
    )
    expect(deltas.length).toBeGreaterThan(1)
    expect(deltas.join('')).toBe(call.arguments)
    expect(events.find((event) => event.type === 'response.function_call_arguments.done')).toMatchObject({
      arguments: call.arguments,
    })

    const result = { type: 'function_call_output' as const, call_id: call.call_id, output: '2,100,000' }
    const { output_text } = await openai.responses.create({
      ...asked,
      input: [...input, call, result],
      tool_choice: 'none',
    })
    expect(output_text).toContain('2,100,000')
  })
}
