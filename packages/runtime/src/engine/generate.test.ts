import { describe, expect, test, vi } from 'vitest'
import type { Executor } from '../backends/executor.ts'
import type { EngineEvent, GenerationSettings } from '../protocol.ts'
import { parseGenerationParameters } from '../sampling/parameters.ts'
import { createFakeExecutor, type FakeExecutor, type FakeExecutorOptions } from './fake-executor.ts'
import {
  type AnswerText,
  type Constraint,
  checkPrompt,
  createAnswerTask,
  type ToolCallParser,
} from './generate.ts'
import { createScheduler } from './scheduler.ts'
import { createThoughtSplitter } from './thoughts.ts'

const eos = 0

/** One token a UTF-16 unit. */
const text: AnswerText = {
  eosTokenIds: new Set([eos]),
  tokenText: (token) => String.fromCharCode(token),
  createDecoder: () => ({ push: (token) => String.fromCharCode(token), end: () => '' }),
  createThoughtSplitter: () => createThoughtSplitter(false),
}

const encode = (prompt: string) => Uint32Array.from(prompt, (character) => character.charCodeAt(0))

/** An executor whose answer to `prompt` is `answer`, and after it the eos token for ever. */
const scripted = (prompt: string, answer: string, options: FakeExecutorOptions = {}) =>
  createFakeExecutor({
    ...options,
    next: (tokens) => answer.charCodeAt(tokens.length - prompt.length) || eos,
  })

function createSession(executor: FakeExecutor, lookahead = 4, answerText = text) {
  const scheduler = createScheduler({ executor, lookahead })
  const run = async (
    prompt: string,
    parameters: Record<string, unknown> = {},
    {
      signal = new AbortController().signal,
      onEvent = (_: EngineEvent) => {},
      answered = '',
      constraint = undefined as Constraint | undefined,
    } = {},
  ) => {
    const events: EngineEvent[] = []
    const settings: GenerationSettings = parseGenerationParameters({ seed: 7, ...parameters })
    const emit = (event: EngineEvent) => {
      events.push(event)
      onEvent(event)
    }
    const task = createAnswerTask({
      ...{ settings, signal, emit, constraint },
      text: answerText,
      prompt: encode(prompt),
      index: 0,
      answered: [...encode(answered)],
      usage: { cachedTokens: 0, completionTokens: 0 },
      contextLength: executor.contextLength,
      arrivedAtMs: performance.now(),
    })
    await scheduler.run(task)
    const tokens = events.flatMap((event) => (event.type === 'tokens' ? event.tokens : []))
    const shown = events.map((event) => (event.type === 'tokens' ? event.text : '')).join('')
    const thought = events.map((event) => (event.type === 'tokens' ? event.thought : '')).join('')
    const done = events.at(-1)!
    if (done.type !== 'done') throw new Error('no done event')
    return { events, tokens, thought, text: shown, done }
  }
  return { run, held: () => String.fromCharCode(...executor.tokensOf(executor.sequences()[0]!)) }
}

describe('createAnswerTask', () => {
  test('answers until the end-of-sequence token, which is a token and no text', async () => {
    const { run } = createSession(scripted('hello', 'world'))
    const answer = await run('hello')
    expect(answer.text).toBe('world')
    expect(answer.tokens).toEqual([...encode('world'), eos])
    expect(answer.done).toMatchObject({
      finishReason: 'stop',
      usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 },
    })
  })

  test('goes on past the end-of-sequence token when told to', async () => {
    const { run } = createSession(scripted('hello', 'wo'))
    const answer = await run('hello', { ignore_eos: true, max_tokens: 5 })
    expect(answer.tokens).toHaveLength(5)
    expect(answer.done.finishReason).toBe('length')
  })

  test('keeps a thought apart, and looks for stop strings in the answer alone', async () => {
    const { run } = createSession(scripted('hello', '<think>a stop b</think>c stop d'))
    const answer = await run('hello', { stop: 'stop' })
    expect([answer.thought, answer.text]).toEqual(['a stop b', 'c '])
    expect(answer.done.finishReason).toBe('stop')
  })

  test('what is cut off in a thought is a thought', async () => {
    const { run } = createSession(scripted('hello', '<think>a < b</think>c'))
    const answer = await run('hello', { max_tokens: 11 })
    expect([answer.thought, answer.text]).toEqual(['a <', ''])
    expect(answer.done.finishReason).toBe('length')
  })

  test('a thought that another worker began goes on here', async () => {
    const { run } = createSession(scripted('hello', '<think>ab</think>c'))
    const answer = await run('hello', {}, { answered: '<think>a' })
    expect([answer.thought, answer.text]).toEqual(['b', 'c'])
  })

  test('the same tokens whatever the lookahead', async () => {
    const answers = await Promise.all(
      [1, 2, 3, 4].map((lookahead) =>
        createSession(createFakeExecutor(), lookahead).run('hello', { max_tokens: 20 }),
      ),
    )
    for (const answer of answers) {
      expect(answer.tokens).toEqual(answers[0]!.tokens)
      expect(answer.tokens).toHaveLength(20)
    }
  })

  test('never computes more steps than max_tokens', async () => {
    const executor = createFakeExecutor()
    await createSession(executor).run('hello', { max_tokens: 2 })
    expect(executor.numStepsIssued()).toBe(2)
  })

  test('the first step goes alone', async () => {
    const executor = createFakeExecutor({ stepMs: 1 })
    const issuedAtToken: number[] = []
    const onEvent = (event: EngineEvent) =>
      event.type === 'tokens' && issuedAtToken.push(executor.numStepsIssued())
    await createSession(executor).run('hello', { max_tokens: 8 }, { onEvent })
    expect(issuedAtToken.slice(0, 3)).toEqual([1, 5, 6])
  })

  test('rolls overshoot back exactly', async () => {
    const executor = scripted('hello', 'world')
    const { run, held } = createSession(executor)
    await run('hello')
    expect(held()).toBe('helloworld\0')
    // Had overshoot stayed, or been cut too short, the follow-up would be computed anew or differ.
    const computed = executor.numTokensComputed()
    const answer = await run('helloworld\0!')
    expect(answer.done.usage.prompt_tokens_details.cached_tokens).toBe(11)
    expect(executor.numTokensComputed() - computed).toBeLessThanOrEqual(4)
  })

  test('a reused prefix gives the tokens of a fresh run', async () => {
    const session = createSession(createFakeExecutor())
    const first = await session.run('shared prefix, one end', { max_tokens: 6 })
    const followUp = `shared prefix, one end${first.text}`
    for (const prompt of ['shared prefix, other', followUp, 'shared prefix', 'nothing shared', followUp]) {
      const reused = await session.run(prompt, { max_tokens: 9 })
      const fresh = await createSession(createFakeExecutor()).run(prompt, { max_tokens: 9 })
      expect(reused.tokens).toEqual(fresh.tokens)
      expect(fresh.done.usage.prompt_tokens_details.cached_tokens).toBe(0)
    }
  })

  test('reuses all of a repeated prompt but its last token', async () => {
    const session = createSession(createFakeExecutor())
    await session.run('twice', { max_tokens: 3 })
    const again = await session.run('twice', { max_tokens: 3 })
    expect(again.done.usage.prompt_tokens_details.cached_tokens).toBe(4)
  })

  test('stops before a stop string that spans tokens, and shows none of it', async () => {
    const { run, held } = createSession(scripted('q', 'one two three'))
    const answer = await run('q', { stop: [' two', 'zzz'] })
    expect(answer.text).toBe('one')
    expect(answer.done.finishReason).toBe('stop')
    expect(held()).toBe('qone two')
  })

  test('shows a held-back text when the answer ends otherwise', async () => {
    const { run } = createSession(scripted('q', 'one tw'))
    expect((await run('q', { stop: 'two' })).text).toBe('one tw')
    const { run: runShort } = createSession(scripted('q', 'one two'))
    expect((await runShort('q', { stop: 'two', max_tokens: 6 })).text).toBe('one tw')
  })

  test('a stop string that spans the seam of an answer begun elsewhere ends it', async () => {
    const { run } = createSession(scripted('q', 'one two'))
    const answer = await run('q', { stop: 'e tw' }, { answered: 'one ' })
    expect(answer.text).toBe('')
    expect(answer.done).toMatchObject({ finishReason: 'stop', usage: { completion_tokens: 6 } })
  })

  test('an answer begun elsewhere keeps to its length, and penalties see all of it', async () => {
    const executor = createFakeExecutor()
    const histories: string[] = []
    const configureSampling: Executor['configureSampling'] = (sequence, settings, history) => {
      histories.push(
        `${String.fromCharCode(...history.promptTokens)} ${String.fromCharCode(...history.answerTokens)}`,
      )
      executor.configureSampling(sequence, settings, history)
    }
    const { run } = createSession({ ...executor, configureSampling })
    const answer = await run('hello', { max_tokens: 5 }, { answered: 'abc' })
    expect(answer.tokens).toHaveLength(2)
    expect(answer.done.finishReason).toBe('length')
    expect(histories).toEqual(['hello abc'])
    expect((await run('hello', { max_tokens: 3 }, { answered: 'abc' })).tokens).toEqual([])
  })

  test('ends with length when the context is full', async () => {
    const { run, held } = createSession(createFakeExecutor({ contextLength: 8 }))
    const answer = await run('hello')
    expect(answer.done.finishReason).toBe('length')
    expect(answer.tokens).toHaveLength(4)
    expect(held()).toHaveLength(8)
    const full = await run('12345678')
    expect(full.tokens).toHaveLength(1)
  })

  test('an abort ends the answer with what there is, and the next answer is right', async () => {
    const controller = new AbortController()
    const session = createSession(createFakeExecutor({ stepMs: 1 }))
    let seen = 0
    const onEvent = (event: EngineEvent) => {
      if (event.type === 'tokens' && ++seen === 3) controller.abort()
    }
    const answer = await session.run('hello', {}, { signal: controller.signal, onEvent })
    expect(answer.done.finishReason).toBe('abort')
    expect(answer.tokens).toHaveLength(3)
    const next = await session.run(`hello${answer.text}`, { max_tokens: 5 })
    const fresh = await createSession(createFakeExecutor()).run(`hello${answer.text}`, { max_tokens: 5 })
    expect(next.tokens).toEqual(fresh.tokens)
    expect(next.done.usage.prompt_tokens_details.cached_tokens).toBe(7)
  })

  test('an abort during prefill keeps the chunks that are done', async () => {
    const controller = new AbortController()
    const executor = createFakeExecutor({ chunkMs: 10 })
    const session = createSession(executor)
    setTimeout(() => controller.abort(), 15)
    const prompt = 'a prompt of many chunks, far more than are done in time'
    const answer = await session.run(prompt, {}, { signal: controller.signal })
    expect(answer.done).toMatchObject({ finishReason: 'abort', usage: { completion_tokens: 0 } })
    expect(executor.numStepsIssued()).toBe(0)
    const next = await session.run(prompt, { max_tokens: 2 })
    const fresh = await createSession(createFakeExecutor()).run(prompt, { max_tokens: 2 })
    expect(next.tokens).toEqual(fresh.tokens)
    expect(next.done.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(0)
  })

  test('a device lost in mid-answer is an error after the tokens before it', async () => {
    const events: EngineEvent[] = []
    const { run } = createSession(createFakeExecutor({ lostAtStep: 3 }))
    const answer = run('hello', {}, { onEvent: (event) => events.push(event) })
    await expect(answer).rejects.toMatchObject({ code: 'device_lost' })
    expect(events).toHaveLength(3)
  })

  test('reports likely tokens for each step when asked', async () => {
    const { run } = createSession(scripted('q', 'ab'))
    const answer = await run('q', { top_logprobs: 2, max_tokens: 1 })
    expect(answer.events[0]).toMatchObject({
      logprobs: [
        {
          tokenId: 97,
          token: 'a',
          logprob: -1,
          top_logprobs: [
            { tokenId: 97, token: 'a', logprob: -1 },
            { tokenId: 98, token: 'b', logprob: -2 },
          ],
        },
      ],
    })
  })

  test('measures the time to the first token and both speeds', async () => {
    vi.useFakeTimers()
    try {
      const { run } = createSession(createFakeExecutor({ stepMs: 5, chunkMs: 5 }))
      const answer = run('hello', { max_tokens: 5 })
      await vi.runAllTimersAsync()
      expect((await answer).done.timings).toMatchObject({
        ttftMs: 10,
        prefillTokensPerSecond: 500,
        decodeTokensPerSecond: 200,
      })
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a constrained answer', () => {
  const maskOf = (letters: string) => {
    const mask = new Uint32Array(8)
    for (const token of encode(letters)) mask[token >>> 5]! |= 1 << (token & 31)
    return mask
  }
  /** The letters of `places`, one set after another, then the end. */
  const inPlaces = (places: readonly string[], answered = '') => {
    const accepted = [...answered]
    const constraint: Constraint = {
      allowed: async () => maskOf(places[accepted.length] ?? String.fromCharCode(eos)),
      accept: (token) => accepted.push(String.fromCharCode(token)),
      free() {},
    }
    return { constraint, accepted }
  }
  const places = ['ab', 'x', '01', '}']

  test('has no token that its mask forbids, and ends where the structure does, though told to go on', async () => {
    const { constraint, accepted } = inPlaces(places)
    const session = createSession(createFakeExecutor())
    const answer = await session.run('hello', { ignore_eos: true }, { constraint })
    expect(answer.text).toBe(accepted.join(''))
    expect(accepted).toHaveLength(4)
    for (const [index, letter] of accepted.entries()) expect(places[index]).toContain(letter)
    expect(answer.done.finishReason).toBe('stop')
  })

  test('goes on in another worker from where its tokens left it', async () => {
    const whole = await createSession(createFakeExecutor()).run('hello', {}, inPlaces(places))
    const answered = whole.text.slice(0, 2)
    const rest = await createSession(createFakeExecutor()).run(
      'hello',
      {},
      { ...inPlaces(places, answered), answered },
    )
    expect(answered + rest.text).toBe(whole.text)
  })

  test('fails alone where its constraint does', async () => {
    const session = createSession(createFakeExecutor())
    const constraint: Constraint = {
      allowed: () => undefined,
      accept() {
        throw new Error('no such token')
      },
      free() {},
    }
    const other = session.run('other', { max_tokens: 5 })
    await expect(session.run('hello', {}, { constraint })).rejects.toThrow('no such token')
    expect((await other).tokens).toHaveLength(5)
    expect((await session.run('hello', { max_tokens: 3 })).tokens).toHaveLength(3)
  })
})

describe('an answer that calls tools', () => {
  /** Words in upper case are calls. */
  const upperCase = (): ToolCallParser => {
    let numCalls = 0
    return {
      push(given) {
        const toolCalls = Array.from(given.matchAll(/[A-Z]/g), ([name]) => ({ index: numCalls++, name }))
        return { content: given.replace(/[A-Z]/g, ''), toolCalls }
      },
      end: () => ({ content: '.', toolCalls: [] }),
      get numCalls() {
        return numCalls
      },
    }
  }
  const withTools: AnswerText = { ...text, createToolCallParser: upperCase }
  const callsOf = (events: readonly EngineEvent[]) =>
    events.flatMap((event) => (event.type === 'tokens' ? (event.toolCalls ?? []) : []))

  test('has its calls apart from its text, and says that it ended with them', async () => {
    const { run } = createSession(scripted('q', 'aBcD'), 4, withTools)
    const answer = await run('q')
    expect(answer.text).toBe('ac.')
    expect(callsOf(answer.events)).toEqual([
      { index: 0, name: 'B' },
      { index: 1, name: 'D' },
    ])
    expect(answer.done.finishReason).toBe('tool_calls')
  })

  test('is cut like any other, and goes on counting in another worker', async () => {
    const cut = await createSession(scripted('q', 'aBcD'), 4, withTools).run('q', { max_tokens: 3 })
    expect(cut.done.finishReason).toBe('length')
    const rest = await createSession(scripted('q', 'aBcD'), 4, withTools).run('q', {}, { answered: 'aBc' })
    expect(callsOf(rest.events)).toEqual([{ index: 1, name: 'D' }])
  })

  test('that calls none ends as ever', async () => {
    const answer = await createSession(scripted('q', 'ab'), 4, withTools).run('q')
    expect([answer.text, answer.done.finishReason]).toEqual(['ab.', 'stop'])
  })
})

describe('checkPrompt', () => {
  const executor = createFakeExecutor({ contextLength: 8 })

  test('refuses a prompt longer than the context and names both counts', () => {
    expect(() => checkPrompt(encode('123456789'), executor)).toThrow(/9 tokens.*holds 8/)
    expect(() => checkPrompt(encode('12345678'), executor)).not.toThrow()
  })

  test('refuses an empty prompt', () => {
    expect(() => checkPrompt(new Uint32Array(), executor)).toThrow(/empty/)
  })
})
