import { describe, expect, test } from 'vitest'
import { openDefaultModel } from '../backends/reference/default-model.ts'
import type { GgufHeader, GgufValue } from '../formats/gguf.ts'
import type { GenerateRequest } from '../protocol.ts'
import { createModelText } from './model-text.ts'

const { header } = await openDefaultModel()

/** SmolLM2 with a template and a vocabulary of ours. */
function withMetadata(changes: Record<string, GgufValue>): GgufHeader {
  return { ...header, metadata: new Map([...header.metadata, ...Object.entries(changes)]) }
}

const turns = `{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}{% if message.reasoning_content is defined %}{{ '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}{% endif %}{{ message.content + '<|im_end|>\\n' }}{% endfor %}`
const thinking = `${turns}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}{# <think> #}`
const opening = `${turns}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n<think>\\n' }}{% endif %}`
const chat: GenerateRequest['input'] = { messages: [{ role: 'user', content: 'What is 1 + 1?' }] }

/** What `answer` is to the page, its tokens coming one by one. */
async function spoken(changed: GgufHeader, input: GenerateRequest['input'], answer: string) {
  const model = createModelText(changed)
  const prompt = await model.encodePrompt(input)
  const text = model.answerText(input, prompt)
  const decoder = text.createDecoder()
  const splitter = text.createThoughtSplitter()
  const parts = [...model.tokenize(answer)].map((token) => splitter.push(decoder.push(token)))
  parts.push(splitter.push(decoder.end()), splitter.end())
  return [parts.map(({ thought }) => thought).join(''), parts.map((part) => part.text).join('')]
}

describe('a thought', () => {
  test('is kept apart where the template knows of thoughts', async () => {
    const changed = withMetadata({ 'tokenizer.chat_template': thinking })
    expect(await spoken(changed, chat, '<think>\nEasy.\n</think>\n\n2')).toEqual(['Easy.', '2'])
  })

  test('that the template begins is one from the first token', async () => {
    const changed = withMetadata({ 'tokenizer.chat_template': opening })
    expect(await spoken(changed, chat, 'Easy.\n</think>\n\n2')).toEqual(['Easy.', '2'])
  })

  test('is told by its tags where these are tokens that are not shown', async () => {
    const tokens = [...(header.metadata.get('tokenizer.ggml.tokens') as string[])]
    tokens[3] = '<think>'
    tokens[4] = '</think>'
    const changed = withMetadata({ 'tokenizer.chat_template': thinking, 'tokenizer.ggml.tokens': tokens })
    expect(createModelText(changed).tokenize('<think></think>')).toEqual(Uint32Array.of(3, 4))
    expect(await spoken(changed, chat, '<think>Easy.</think>2')).toEqual(['Easy.', '2'])
  })

  test('is nothing to a model that does not think, nor to a raw prompt', async () => {
    const answer = '<think>\nEasy.\n</think>\n\n2'
    expect(await spoken(header, chat, answer)).toEqual(['', answer])
    const changed = withMetadata({ 'tokenizer.chat_template': opening })
    expect(await spoken(changed, { prompt: 'x<think>' }, answer)).toEqual(['', answer])
  })
})

test('a conversation is told without what comes before its answer, and with the token that begins a text', async () => {
  const { encodePrompt, tokenize } = createModelText(withMetadata({ 'tokenizer.chat_template': thinking }))
  const turn = '<|im_start|>user\nWhat is 1 + 1?<|im_end|>\n'
  expect(await encodePrompt(chat, { addsGenerationPrompt: false })).toEqual(tokenize(turn))
  const bos = header.metadata.get('tokenizer.ggml.bos_token_id')
  expect(await encodePrompt({ prompt: 'Hi' }, { addsBos: true })).toEqual(
    Uint32Array.of(Number(bos), ...tokenize('Hi')),
  )
})

test('old thoughts are read again only where they are given', async () => {
  const { encodePrompt, tokenize } = createModelText(withMetadata({ 'tokenizer.chat_template': thinking }))
  const question = { role: 'user', content: 'Hi' } as const
  const end = '<|im_start|>assistant\n'
  const answer = { role: 'assistant', content: 'Hello.' } as const
  expect(await encodePrompt({ messages: [question, answer] })).toEqual(
    tokenize(`<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n${end}`),
  )
  expect(await encodePrompt({ messages: [question, { ...answer, reasoning_content: 'Hm.' }] })).toEqual(
    tokenize(
      `<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\nHm.\n</think>\n\nHello.<|im_end|>\n${end}`,
    ),
  )
})
