import { expect, test } from 'vitest'
import type { AnswerEvent, EngineClient } from '../client/engine-client.ts'
import type { GenerateRequest } from '../protocol.ts'
import { createChatCompletions } from './chat.ts'
import type { ChatMessage } from './types.ts'

const done: AnswerEvent = {
  type: 'done',
  finishReason: 'length',
  usage: {
    prompt_tokens: 3,
    completion_tokens: 2,
    total_tokens: 5,
    prompt_tokens_details: { cached_tokens: 1 },
  },
  timings: { ttftMs: 1, prefillTokensPerSecond: 2, decodeTokensPerSecond: 3 },
}

/** Completions of a model that says these pairs of thought and answer. */
function thinking(...spoken: [string, string][]) {
  const requests: GenerateRequest[] = []
  const client = {
    loaded: { model: { id: 'fake' } },
    async *generate(request: GenerateRequest): AsyncGenerator<AnswerEvent, void> {
      requests.push(request)
      yield { type: 'accepted' }
      for (const [thought, text] of spoken) yield { type: 'tokens', thought, text, tokens: [1], logprobs: [] }
      yield done
    },
  } as unknown as EngineClient
  return { completions: createChatCompletions(client), requests }
}

const messages: ChatMessage[] = [{ role: 'user', content: 'Hi' }]

test('a thought is reasoning_content and never content', async () => {
  const { completions } = thinking(['Hm', ''], ['m.', 'Hel'], ['', 'lo'])
  const completion = await completions.create({ messages })
  expect(completion.choices[0]!.message).toEqual({
    role: 'assistant',
    content: 'Hello',
    refusal: null,
    reasoning_content: 'Hmm.',
  })
})

test('a stream tells the thought before the answer', async () => {
  const { completions } = thinking(['Hm', ''], ['m.', 'Hel'], ['', 'lo'])
  const deltas = []
  for await (const { choices } of await completions.create({ messages, stream: true }))
    deltas.push(choices[0]!.delta)
  expect(deltas).toEqual([
    { role: 'assistant', reasoning_content: 'Hm' },
    { reasoning_content: 'm.', content: 'Hel' },
    { content: 'lo' },
    {},
  ])
})

test('an answer that is cut off in its thought has no content', async () => {
  const { completions } = thinking(['Let me', ''])
  const { message, finish_reason } = (await completions.create({ messages })).choices[0]!
  expect(message).toEqual({ role: 'assistant', content: '', refusal: null, reasoning_content: 'Let me' })
  expect(finish_reason).toBe('length')
})

test('a model that does not think has no reasoning_content', async () => {
  const { completions } = thinking(['', 'Hello'])
  expect((await completions.create({ messages })).choices[0]!.message).not.toHaveProperty('reasoning_content')
})

test('old thoughts go to the model as they are given', async () => {
  const { completions, requests } = thinking(['', 'Hello'])
  const thought = { role: 'assistant', content: 'Hello', reasoning_content: 'Hm.' } as const
  const none = { role: 'assistant', content: 'Hello', reasoning_content: null } as unknown as ChatMessage
  await completions.create({ messages: [thought, none] })
  expect(requests[0]!.input).toEqual({ messages: [thought, { role: 'assistant', content: 'Hello' }] })
  for (const wrong of [
    { role: 'assistant', content: 'x', reasoning_content: 5 },
    { role: 'user', content: 'x', reasoning_content: 'Hm.' },
  ]) {
    await expect(completions.create({ messages: [wrong as unknown as ChatMessage] })).rejects.toThrow(
      /"messages\[0\]\.reasoning_content" is/,
    )
  }
})
