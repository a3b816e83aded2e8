// @ts-check
import { createEngine } from '@brasa/runtime'
import OpenAI from 'openai'
import { answering } from '../answering.js'

const engine = await createEngine({ model: 'smollm2-135m-instruct' })
const client = new OpenAI({
  baseURL: 'http://brasa.invalid/v1',
  apiKey: 'none',
  fetch: engine.fetch,
  dangerouslyAllowBrowser: true,
})

/** @type {Record<string, (x: number, y: number) => number>} */
const operations = { add: (x, y) => x + y, subtract: (x, y) => x - y, multiply: (x, y) => x * y }

/** @type {OpenAI.ChatCompletionTool[]} */
const tools = [
  {
    type: 'function',
    function: {
      name: 'calculate',
      description: 'Computes with two whole numbers.',
      parameters: {
        type: 'object',
        properties: {
          operation: { enum: Object.keys(operations) },
          x: { type: 'integer', minimum: 0, maximum: 9999 },
          y: { type: 'integer', minimum: 0, maximum: 9999 },
        },
        required: ['operation', 'x', 'y'],
        additionalProperties: false,
      },
    },
  },
]

answering(async (question, show) => {
  /** @type {OpenAI.ChatCompletionMessageParam[]} */
  const messages = [{ role: 'user', content: question }]
  const asked = await client.chat.completions.create({
    model: engine.model.id,
    messages,
    tools,
    tool_choice: 'required',
    parallel_tool_calls: false,
    temperature: 0,
  })
  const message = asked.choices[0]?.message
  if (message === undefined) return
  messages.push(message)
  let shown = ''
  for (const call of message.tool_calls ?? []) {
    if (call.type !== 'function') continue
    // They parse and keep to the schema, whatever the model is.
    const { operation, x, y } = JSON.parse(call.function.arguments)
    const result = operations[operation]?.(x, y)
    shown += `${operation}(${x}, ${y}) = ${result}\n`
    show(shown)
    messages.push({ role: 'tool', tool_call_id: call.id, content: String(result) })
  }
  const answer = client.chat.completions.stream({
    model: engine.model.id,
    messages,
    temperature: 0,
    max_tokens: 60,
  })
  answer.on('content', (_, text) => show(`${shown}\n${text}`))
  await answer.done()
})
