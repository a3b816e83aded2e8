import { describe, expect, test, vi } from 'vitest'
import { openDefaultModel } from '../backends/reference/default-model.ts'
import { isBrasaError } from '../errors.ts'
import type { GgufValue } from '../formats/gguf.ts'
import { createChatTemplate } from './chat-template.ts'
import { expectRenderings, ownTemplates } from './reference-renderings.ts'
import { chatTemplateFeatures } from './template-features.ts'

const metadataWith = (template?: string, tokens: readonly string[] = []) =>
  new Map<string, GgufValue>([
    ['general.architecture', 'llama'],
    ['tokenizer.ggml.tokens', ['<s>', '</s>', '<unk>', '<pad>', ...tokens]],
    ['tokenizer.ggml.bos_token_id', 0],
    ['tokenizer.ggml.eos_token_id', 1],
    ['tokenizer.ggml.unknown_token_id', 2],
    ['tokenizer.ggml.padding_token_id', 3],
    ...(template === undefined ? [] : [['tokenizer.chat_template', template] as const]),
  ])
const withTemplate = (template?: string) => createChatTemplate(metadataWith(template))
const question = [{ role: 'user', content: 'What is the capital of France?' }]

function failureOf(template: string) {
  try {
    withTemplate(template).render(question, { addGenerationPrompt: true })
  } catch (error) {
    if (isBrasaError(error)) return error
    throw error
  }
  throw new Error('The template rendered.')
}

test('there are ten templates of ours', () => {
  expect(ownTemplates.size).toBe(10)
})

describe.each([...ownTemplates])('%s is rendered as transformers does', (name, source) => {
  expectRenderings(name, withTemplate(source))
})

describe("SmolLM2's own template", async () => {
  const template = createChatTemplate((await openDefaultModel()).header.metadata)
  const { render } = template
  expectRenderings('smollm2-135m-instruct', template)
  const system = 'You are a helpful AI assistant named SmolLM, trained by Hugging Face'

  test('adds its system prompt where there is none', () => {
    expect(render(question, { addGenerationPrompt: true })).toBe(
      `<|im_start|>system\n${system}<|im_end|>\n<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n`,
    )
  })

  test('keeps the system prompt of the conversation, and every turn', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: ' {{ 7 * 7 }} {% raw %}\n' },
      { role: 'assistant', content: '<b>&amp;</b>' },
    ]
    expect(render(messages, { addGenerationPrompt: false })).toBe(
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n {{ 7 * 7 }} {% raw %}\n<|im_end|>\n<|im_start|>assistant\n<b>&amp;</b><|im_end|>\n',
    )
  })
})

describe('any template', () => {
  test.each([undefined, '', ' \n'])('%j: ChatML stands in for none', (template) => {
    expect(withTemplate(template).render(question, { addGenerationPrompt: true })).toBe(
      '<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n',
    )
  })

  test('has the names of BOS and EOS, the usual globals and no tools', () => {
    const template =
      "{{ bos_token }}{% for i in range(2, 5) %}{{ i }}{% endfor %}{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}{{ eos_token }}{% if tools is none and not none and True %}{{ strftime_now('%Y') | length }}{% endif %}"
    expect(withTemplate(template).render([], { addGenerationPrompt: false })).toBe('<s>234321</s>4')
  })

  test("has Python's clock, in English whatever the page's language is", () => {
    vi.useFakeTimers({ now: new Date(2024, 6, 4, 9, 5, 3), toFake: ['Date'] })
    try {
      const { render } = withTemplate("{{ strftime_now('%d %b %Y, %B %H:%M:%S %m 100%% %q') }}")
      expect(render([], { addGenerationPrompt: false })).toBe('04 Jul 2024, July 09:05:03 07 100% %q')
    } finally {
      vi.useRealTimers()
    }
  })

  test('sees nothing of the program around it', () => {
    const { render } = withTemplate(
      "{{ messages.constructor }}{{ messages[0].__proto__ }}{{ ''.constructor }}{{ globalThis }}",
    )
    expect(render(question, { addGenerationPrompt: false })).toBe('')
  })

  test('that raises gives its reason and what to do', () => {
    const error = failureOf("{{ raise_exception('System role not supported.') }}")
    expect(error.code).toBe('template_failed')
    expect(error.message).toContain('System role not supported. Change')
    expect(error.details).toEqual({ reason: 'System role not supported.' })
  })

  test('that takes any name of tools for tools is not given one', () => {
    const { render } = withTemplate(
      '{% if tools is defined %}{% for tool in tools %}{{ tool }}{% endfor %}{% endif %}{{ messages[0].content }}',
    )
    expect(render(question, { addGenerationPrompt: false })).toBe(question[0]!.content)
    expect(render(question, { addGenerationPrompt: false, tools: ['a'] })).toBe(`a${question[0]!.content}`)
  })

  const loop = (body: string) => `{% for i in range(9999) %}${body}{% endfor %}`
  test.each([
    ['is no template', '{% if %}', /does not run: .+ Use another file/],
    ['is not closed', '{% for m in messages %}', /does not run/],
    ['calls what there is not', '{{ nothing.here() }}', /does not run/],
    ['nests parentheses', `{{ ${'('.repeat(20_000)}1${')'.repeat(20_000)} }}`, /nests too deeply/],
    ['nests blocks', `${'{% if 1 %}'.repeat(6_000)}${'{% endif %}'.repeat(6_000)}`, /nests too deeply/],
    ['is too long', 'x'.repeat(200_000), /at most 131072/],
    ['counts to a million', '{% for i in range(1000000) %}x{% endfor %}', /at most 10000/],
    ['counts for ever', '{% for i in range(0, 1, 0) %}x{% endfor %}', /at most 10000/],
    ['loops in loops', loop(loop(loop('x'))), /more than 1500 ms/],
    ['doubles a string', `{% set s = 'xx' %}${'{% set s = s ~ s %}'.repeat(40)}`, /grows without end/],
  ])('that %s fails soon, and says so', (_, template, message) => {
    const start = performance.now()
    const error = failureOf(template)
    expect(error.code).toBe('template_failed')
    expect(error.message).toMatch(message)
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})

describe('without a template of its own', () => {
  const talk = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'One?' },
    { role: 'assistant', content: 'First.' },
    { role: 'user', content: 'Two?' },
  ]

  test.each([
    [
      ['<|im_start|>', '<|im_end|>'],
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nFirst.<|im_end|>\n<|im_start|>user\nTwo?<|im_end|>\n<|im_start|>assistant\n',
    ],
    [
      ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
      '<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nOne?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nFirst.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nTwo?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    ],
    [
      ['<start_of_turn>', '<end_of_turn>'],
      '<s><start_of_turn>user\nBe brief.\n\nOne?<end_of_turn>\n<start_of_turn>model\nFirst.<end_of_turn>\n<start_of_turn>user\nTwo?<end_of_turn>\n<start_of_turn>model\n',
    ],
    [
      ['<|start_of_role|>', '<|end_of_role|>', '<|end_of_text|>'],
      '<|start_of_role|>system<|end_of_role|>Be brief.<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>One?<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>First.<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Two?<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>',
    ],
    [
      ['<|user|>', '<|assistant|>', '<|end|>'],
      '<|system|>Be brief.<|end|><|user|>One?<|end|><|assistant|>First.<|end|><|user|>Two?<|end|><|assistant|>',
    ],
    [['[INST]', '[/INST]'], '<s>[INST] Be brief.\n\nOne?[/INST] First.</s>[INST] Two?[/INST]'],
    [
      ['<|user|>'],
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nFirst.<|im_end|>\n<|im_start|>user\nTwo?<|im_end|>\n<|im_start|>assistant\n',
    ],
  ])('the vocabulary suggests the format: %j', (tokens, expected) => {
    const metadata = metadataWith(undefined, tokens)
    expect(createChatTemplate(metadata).render(talk, { addGenerationPrompt: true })).toBe(expected)
    expect(chatTemplateFeatures(metadata)).toEqual({ system: true, tools: false, thinking: false })
  })

  test('a vocabulary with the tags of thoughts is a thinking model', () => {
    expect(chatTemplateFeatures(metadataWith(undefined, ['<think>', '</think>'])).thinking).toBe(true)
  })
})

test.each([
  ['header-turns', { system: true, tools: true, thinking: false }],
  ['bracketed-instructions', { system: true, tools: true, thinking: false }],
  ['thoughts-of-this-turn', { system: true, tools: false, thinking: true }],
  ['prompt-in-question', { system: true, tools: false, thinking: false }],
  ['reasoning-modes', { system: true, tools: true, thinking: true }],
  ['role-markers', { system: true, tools: true, thinking: false }],
])('%s has a place for %j', (name, features) => {
  expect(chatTemplateFeatures(metadataWith(ownTemplates.get(name)))).toEqual(features)
})

test('a template that refuses system prompts has no place for them', () => {
  const refusing = `{% if messages[0].role == 'system' %}{{ raise_exception('No.') }}{% endif %}{{ messages[0].content }}`
  expect(chatTemplateFeatures(metadataWith(refusing))).toEqual({
    system: false,
    tools: false,
    thinking: false,
  })
})
