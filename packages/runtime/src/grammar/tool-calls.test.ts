import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createToolCallParser, toolCallTags } from './tool-calls.ts'

interface Call {
  readonly name: string
  readonly json: string
}

const spelled = ({ name, json }: Call) => `${toolCallTags.begin(name)}${json}${toolCallTags.end}`

/** What a client puts together from the pieces of `text`, cut at `cuts`. */
function parse(text: string, cuts: readonly number[]) {
  let id = 0
  const parser = createToolCallParser(() => `call_${id++}`)
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  const pieces = [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length))
  let content = ''
  const calls: { id?: string; name?: string; json: string }[] = []
  for (const piece of [...pieces.map((part) => parser.push(part)), parser.end()]) {
    content += piece.content
    for (const delta of piece.toolCalls) {
      if (delta.id !== undefined) calls[delta.index] = { id: delta.id, name: delta.name!, json: '' }
      calls[delta.index]!.json += delta.arguments ?? ''
    }
  }
  expect(parser.numCalls).toBe(calls.length)
  return { content, calls }
}

const words = fc.stringMatching(/^[a-z<>/ _\n{}"]{0,30}$/).filter((text) => !text.includes('<tool_call>'))
const call = fc.record({
  name: fc.constantFrom('f', 'get_weather'),
  json: fc
    .dictionary(fc.string(), fc.oneof(fc.string(), fc.constantFrom('</tool_call>', '}\n</tool_call>', '"{[')))
    .map((value) => JSON.stringify(value)),
})

test('calls and text come apart however the text is cut, and no part of a tag is content', () => {
  fc.assert(
    fc.property(
      words,
      fc.array(call, { maxLength: 3 }),
      fc.array(fc.nat(), { maxLength: 40 }),
      (before, calls, cuts) => {
        const text = before + calls.map(spelled).join('\n')
        const parsed = parse(text, cuts)
        expect(parsed.calls).toEqual(calls.map(({ name, json }, i) => ({ id: `call_${i}`, name, json })))
        expect(parsed.content).toBe(calls.length === 0 ? before : before.trimEnd())
      },
    ),
    { numRuns: 2000 },
  )
})

test('what may become a tag is held back until it is none', () => {
  const parser = createToolCallParser()
  expect(parser.push('a <tool').content).toBe('a')
  expect(parser.push('box>').content).toBe(' <toolbox>')
  expect(parser.push(' <tool_ca').content).toBe('')
  expect(parser.end().content).toBe(' <tool_ca')
})

test('arguments come as they grow', () => {
  const parser = createToolCallParser(() => 'call_x')
  expect(parser.push('<tool_call>\n{"name": "f", "arguments": {"a').toolCalls).toEqual([
    { index: 0, id: 'call_x', name: 'f', arguments: '' },
    { index: 0, arguments: '{"a' },
  ])
  expect(parser.push('": 1}').toolCalls).toEqual([{ index: 0, arguments: '": 1}' }])
  expect(parser.push('}\n</tool_call>')).toEqual({ content: '', toolCalls: [] })
})
