import { describe, expect, test } from 'vitest'
import type { GgufValue } from '../formats/gguf.ts'
import type { ChatMessage, ToolDefinition } from '../protocol.ts'
import { createChatTemplate } from './chat-template.ts'
import { conversationPrompt } from './conversation-prompt.ts'
import { ownTemplates } from './reference-renderings.ts'

const templateOf = (source: string) =>
  createChatTemplate(
    new Map<string, GgufValue>([
      ['general.architecture', 'llama'],
      ['tokenizer.ggml.tokens', ['<s>', '</s>']],
      ['tokenizer.ggml.bos_token_id', 0],
      ['tokenizer.ggml.eos_token_id', 1],
      ['tokenizer.chat_template', source],
    ]),
  )
const likeQwen = templateOf(ownTemplates.get('blocks-with-tools')!)
const plain = templateOf(
  '{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}',
)
const withoutSystem = templateOf(
  "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>",
)

const weather: ToolDefinition = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather.',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
}
const call = (id: string, city: string) => ({
  id,
  type: 'function' as const,
  function: { name: 'get_weather', arguments: JSON.stringify({ city }) },
})
const round: readonly ChatMessage[] = [
  { role: 'user', content: 'Paris and Rome?' },
  { role: 'assistant', content: '', tool_calls: [call('a', 'Paris'), call('b', 'Rome')] },
  { role: 'tool', content: '18 C', tool_call_id: 'a' },
  { role: 'tool', content: '25 C', tool_call_id: 'b' },
]

test('a template that calls tools gets them, the calls with arguments as JSON, and the results', () => {
  expect(likeQwen.callsTools).toBe(true)
  const prompt = conversationPrompt(likeQwen, round, { tools: [weather] })
  expect(prompt).toContain(
    `<tools>\n${JSON.stringify(weather).replaceAll('":', '": ').replaceAll(',"', ', "')}\n</tools>`,
  )
  expect(prompt).toContain(
    '\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>\n<tool_call>',
  )
  expect(prompt).toContain(
    '<|im_start|>user\n<tool_response>\n18 C\n</tool_response>\n<tool_response>\n25 C\n</tool_response><|im_end|>',
  )
})

describe('a template without tools', () => {
  test('is told of them in a system prompt, and of calls and results in turns', () => {
    expect(plain.callsTools).toBe(false)
    const prompt = conversationPrompt(plain, round, { tools: [weather] })
    expect(prompt).toMatch(
      /^<system>.*"name":"get_weather".*<tool_call>.*<\/system><user>Paris and Rome\?<\/user>/s,
    )
    expect(prompt).toMatch(
      /<assistant><tool_call>\n\{"name": "get_weather", "arguments": \{"city":"Paris"\}\}\n<\/tool_call>\n<tool_call>\n.*<\/tool_call><\/assistant><user><tool_response>\n18 C\n<\/tool_response>\n<tool_response>\n25 C\n<\/tool_response><\/user><assistant>$/s,
    )
  })

  test('keeps the system prompt of the conversation in front', () => {
    const messages: ChatMessage[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
    ]
    expect(conversationPrompt(plain, messages, { tools: [weather] })).toMatch(
      /^<system>Be brief\.\n\nYou can call/,
    )
  })

  test('without a place for a system prompt is told in the question', () => {
    const prompt = conversationPrompt(withoutSystem, [{ role: 'user', content: 'Hi' }], { tools: [weather] })
    expect(prompt).toMatch(/^<user>You can call.*\n\nHi<assistant>$/s)
  })
})

test('no tools, no word of them', () => {
  for (const template of [likeQwen, plain]) {
    const messages: ChatMessage[] = [{ role: 'user', content: 'Hi' }]
    const prompt = conversationPrompt(template, messages, { tools: [] })
    expect(prompt).not.toMatch(/tool/)
    expect(prompt).toBe(template.render(messages, { addGenerationPrompt: true }))
  }
})

test('an answer that was begun is gone on with in its turn', () => {
  const messages: ChatMessage[] = [
    { role: 'user', content: 'Count.' },
    { role: 'assistant', content: 'One, two,' },
  ]
  expect(conversationPrompt(plain, messages, { continuesAssistant: true })).toBe(
    '<user>Count.</user><assistant>One, two,',
  )
})
