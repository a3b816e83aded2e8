import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createEventReader, textOf } from './event-stream.ts'

const stream = [
  ': a comment\n',
  'data: {"choices":[{"delta":{"content":"One "}}]}\n\n',
  'event: note\r\ndata: first\r\ndata: second\r\n\r\n',
  'id: 3\ndata\n\n',
  'data:unspaced\n\n',
  'data: [DONE]\n\n',
].join('')

const expected = [
  { name: '', data: '{"choices":[{"delta":{"content":"One "}}]}' },
  { name: 'note', data: 'first\nsecond' },
  { name: '', data: '' },
  { name: '', data: 'unspaced' },
  { name: '', data: '[DONE]' },
]

test('events are the same however the text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
      const ends = [0, ...cuts.sort((a, b) => a - b), stream.length]
      const reader = createEventReader()
      const events = ends.slice(1).flatMap((end, index) => reader.read(stream.slice(ends[index], end)))
      expect(events).toEqual(expected)
    }),
  )
})

test('an event that has not ended is not told', () => {
  expect(createEventReader().read('data: half\n')).toEqual([])
})

test.each([
  ['a chat', '{"choices":[{"delta":{"content":"One"}}]}', 'One'],
  ['a completion', '{"choices":[{"text":"Two"}]}', 'Two'],
  ['a response', '{"type":"response.output_text.delta","delta":"Three"}', 'Three'],
  [
    'a tool call',
    '{"choices":[{"delta":{"tool_calls":[{"function":{"name":"weather","arguments":"{}"}}]}}]}',
    'weather{}',
  ],
  ['a chunk with the usage alone', '{"choices":[],"usage":{}}', ''],
  ['another event of a response', '{"type":"response.created","delta":{"a":1}}', ''],
  ['the end', '[DONE]', ''],
  ['null', 'null', ''],
])('the text of %s', (_, data, text) => {
  expect(textOf({ name: '', data })).toBe(text)
})
