import { expect, test } from 'vitest'
import type { ChatCompletionRequest, Engine } from '../api/types.ts'
import { createLanguageModel } from './prompt-api.ts'

/** Answers with the number of messages and the last one's words, a word a chunk, and keeps what it was asked. */
function fakeEngine() {
  const requests: ChatCompletionRequest[] = []
  const create = async (request: ChatCompletionRequest, { signal }: { signal?: AbortSignal } = {}) => {
    requests.push(request)
    async function* chunks() {
      for (const word of `${request.messages.length}: ${request.messages.at(-1)?.content}`.split(/(?<= )/)) {
        await Promise.resolve()
        if (signal?.aborted) return
        yield { choices: [{ delta: { content: word } }] }
      }
      yield { choices: [], usage: { total_tokens: 10 * request.messages.length } }
    }
    return chunks()
  }
  const engine = {
    model: { contextLength: 512 },
    chat: { completions: { create } },
    tokenize: async (text: string) => Uint32Array.from(text.split(' '), (word) => word.length),
  } as unknown as Engine
  return { engine, requests }
}

test('a session remembers what was said, in turns', async () => {
  const { engine, requests } = fakeEngine()
  const factory = createLanguageModel(engine)
  expect(await factory.availability()).toBe('available')
  const session = await factory.create({
    initialPrompts: [{ role: 'system', content: 'Be brief.' }],
    temperature: 0,
    topK: 3,
  })
  const answers = await Promise.all([session.prompt('one'), session.prompt('two')])
  expect(answers).toEqual(['2: one', '4: two'])
  expect(requests[1]).toMatchObject({
    temperature: 0,
    top_k: 3,
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'one' },
      { role: 'assistant', content: '2: one' },
      { role: 'user', content: 'two' },
    ],
  })
  expect(session.contextUsage).toBe(40)
  expect(session.contextWindow).toBe(512)
  await session.append([{ role: 'user', content: [{ type: 'text', value: 'a b c' }] }])
  expect(session.contextUsage).toBe(43)
  expect(await session.measureContextUsage('four words it has')).toBe(4)
})

test('a clone goes its own way', async () => {
  const { engine } = fakeEngine()
  const session = await createLanguageModel(engine).create()
  await session.prompt('one')
  const copy = await session.clone()
  expect(await copy.prompt('two')).toBe('3: two')
  expect(await session.prompt('three')).toBe('3: three')
})

test('an answer streams, and one that is cancelled is not remembered', async () => {
  const { engine } = fakeEngine()
  const session = await createLanguageModel(engine).create()
  const pieces: string[] = []
  for await (const piece of session.promptStreaming('a b')) pieces.push(piece)
  expect(pieces).toEqual(['1: ', 'a ', 'b'])
  const reader = session.promptStreaming('c d e f g').getReader()
  await reader.read()
  await reader.cancel()
  expect(await session.prompt('h')).toBe('3: h')
  const stopped = new AbortController()
  const promise = session.prompt('i j k', { signal: stopped.signal })
  stopped.abort()
  await expect(promise).rejects.toThrow()
})

test('constraints and prefixes become what the engine has for them', async () => {
  const { engine, requests } = fakeEngine()
  const session = await createLanguageModel(engine).create()
  await session.prompt('a', { responseConstraint: { type: 'boolean' } })
  await session.prompt('a', { responseConstraint: /[ab]+/ })
  await session.prompt([
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'My ', prefix: true },
  ])
  expect(requests[0]!.response_format).toMatchObject({ json_schema: { schema: { type: 'boolean' } } })
  expect(requests[1]!.response_format).toEqual({ type: 'regex', pattern: '[ab]+' })
  expect(requests[2]).toMatchObject({ continue_final_message: true })
  await session.prompt('b')
  expect(requests[3]!.messages.at(-2)).toEqual({ role: 'assistant', content: 'My 6: My ' })
})

test('what it cannot do is refused, and nothing works behind the end', async () => {
  const { engine } = fakeEngine()
  const session = await createLanguageModel(engine).create()
  const image = [{ role: 'user', content: [{ type: 'image', value: '' }] }] as never
  await expect(session.prompt(image)).rejects.toMatchObject({ code: 'invalid_request' })
  session.destroy()
  await expect(session.prompt('a')).rejects.toMatchObject({ code: 'disposed' })
  const heard: number[] = []
  await createLanguageModel(engine).create({
    monitor: (target) =>
      target.addEventListener('downloadprogress', (event) => heard.push((event as ProgressEvent).loaded)),
  })
  expect(heard).toEqual([0, 1])
})
