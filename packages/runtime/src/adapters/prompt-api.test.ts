import { expect, test } from 'vitest'
import type { ChatCompletionRequest, ChatMessage, Engine } from '../api/types.ts'
import { BrasaError } from '../errors.ts'
import { createLanguageModel } from './prompt-api.ts'

const wordsOf = (text: string) => text.split(' ').length

/** Words, and two tokens around each message; a conversation without a question does not render. */
async function tokenize(text: string | readonly ChatMessage[]): Promise<Uint32Array> {
  if (typeof text === 'string') return new Uint32Array(wordsOf(text))
  if (!text.some(({ role }) => role === 'user')) {
    throw new BrasaError('template_failed', { message: 'There is no question.' })
  }
  return new Uint32Array(text.reduce((sum, { content }) => sum + wordsOf(content) + 2, 0))
}

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
    tokenize,
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
  // Five turns of eight words, and the new one.
  expect(session.contextUsage).toBe(8 + 10 + 5)
  expect(await session.measureContextUsage('four words it has')).toBe(6)
})

test('what is there from the beginning is measured, and must fit', async () => {
  const { engine } = fakeEngine()
  const factory = createLanguageModel(engine)
  const long = Array(600).fill('word').join(' ')
  const asked = [{ role: 'user' as const, content: 'one two three' }]
  expect((await factory.create()).contextUsage).toBe(0)
  // By its words alone where no prompt can be made of it.
  const system = await factory.create({ initialPrompts: [{ role: 'system', content: 'Be very brief.' }] })
  expect(system.contextUsage).toBe(3)
  const session = await factory.create({ initialPrompts: asked })
  expect(session.contextUsage).toBe(5)
  expect((await session.clone()).contextUsage).toBe(5)
  const tooLong = { code: 'context_length_exceeded', details: { contextLength: 512 } }
  const initialPrompts = [{ role: 'user' as const, content: long }]
  await expect(factory.create({ initialPrompts })).rejects.toMatchObject(tooLong)
  await expect(session.append(long)).rejects.toMatchObject(tooLong)
  expect(session.contextUsage).toBe(5)
})

test('is stopped by its signal wherever it waits', async () => {
  const { engine } = fakeEngine()
  const factory = createLanguageModel(engine)
  const stopped = { code: 'aborted' }
  await expect(factory.create({ signal: AbortSignal.abort() })).rejects.toMatchObject(stopped)
  const controller = new AbortController()
  const created = factory.create({
    initialPrompts: [{ role: 'user', content: 'a' }],
    signal: controller.signal,
  })
  controller.abort()
  await expect(created).rejects.toMatchObject(stopped)
  const session = await factory.create()
  await expect(session.append('a', { signal: AbortSignal.abort() })).rejects.toMatchObject(stopped)
  await expect(session.clone({ signal: AbortSignal.abort() })).rejects.toMatchObject(stopped)
  expect(session.contextUsage).toBe(0)
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
  await expect(promise).rejects.toMatchObject({ code: 'aborted' })
})

test('constraints and prefixes become what the engine has for them', async () => {
  const { engine, requests } = fakeEngine()
  const session = await createLanguageModel(engine).create()
  await session.prompt('a', { responseConstraint: { type: 'boolean' } })
  await session.prompt('a', { responseConstraint: /[ab]+/gu })
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
  for (const pattern of [/a/i, /a/s, /^a$/m, /[a]/v]) {
    await expect(session.prompt('a', { responseConstraint: pattern })).rejects.toMatchObject({
      code: 'invalid_request',
      details: { parameter: 'responseConstraint' },
    })
  }
  session.destroy()
  await expect(session.prompt('a')).rejects.toMatchObject({ code: 'disposed' })
  const heard: number[] = []
  await createLanguageModel(engine).create({
    monitor: (target) =>
      target.addEventListener('downloadprogress', (event) => heard.push((event as ProgressEvent).loaded)),
  })
  expect(heard).toEqual([0, 1])
})
