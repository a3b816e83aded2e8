import { describe, expect, test } from 'vitest'
import { openDefaultModel } from '../backends/reference/default-model.ts'
import { isBrasaError } from '../errors.ts'
import type { GgufValue } from '../formats/gguf.ts'
import { createChatTemplate } from './chat-template.ts'

const withTemplate = (template?: string) =>
  createChatTemplate(
    new Map<string, GgufValue>([
      ['general.architecture', 'llama'],
      ['tokenizer.ggml.tokens', ['<s>', '</s>', 'a']],
      ['tokenizer.ggml.bos_token_id', 0],
      ['tokenizer.ggml.eos_token_id', 1],
      ...(template === undefined ? [] : [['tokenizer.chat_template', template] as const]),
    ]),
  )
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

describe("SmolLM2's own template", async () => {
  const { render } = createChatTemplate((await openDefaultModel()).header.metadata)
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
