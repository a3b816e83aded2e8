import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canAnswer, defaultAnswerOptions, reviveAnswerOptions, schemaProblem } from './answer-options.ts'

test('stored options come back, and what is not understood is the default', () => {
  const options = {
    ...defaultAnswerOptions,
    mode: 'tools',
    tools: ['clock'],
    toolChoice: 'required',
  } as const
  expect(reviveAnswerOptions(JSON.parse(JSON.stringify(options)))).toEqual(options)
  expect(reviveAnswerOptions({ mode: 'poem', schema: 7, tools: ['bomb'], keepProbabilities: 'yes' })).toEqual(
    {
      ...defaultAnswerOptions,
      tools: [],
    },
  )
  fc.assert(
    fc.property(fc.anything(), (stored) => {
      const { mode, tools } = reviveAnswerOptions(stored)
      expect(['text', 'json', 'tools']).toContain(mode)
      expect(tools.every((name) => ['calculator', 'clock'].includes(name))).toBe(true)
    }),
  )
})

test('a schema with a mistake keeps questions from being asked, while JSON is asked for', () => {
  expect(schemaProblem('')).toBeUndefined()
  expect(schemaProblem('{"type": "object"}')).toBeUndefined()
  expect(schemaProblem('[1]')).toEqual({ kind: 'no-schema' })
  expect(schemaProblem('{"type": }')).toEqual({ kind: 'value', line: 1, column: 10 })
  const broken = { ...defaultAnswerOptions, schema: '{' }
  expect(canAnswer(broken)).toBe(true)
  expect(canAnswer({ ...broken, mode: 'json' })).toBe(false)
})
