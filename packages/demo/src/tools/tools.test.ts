import { expect, test } from 'vitest'
import { tellTime } from './clock.ts'
import { ToolError } from './tool-error.ts'
import { runTool, toolDefinitions, toolNames } from './tools.ts'

const moment = new Date('2026-07-14T10:05:09Z')

test.each([
  ['UTC', 'Tuesday 14 July 2026 at 10:05:09 in UTC (GMT)'],
  ['Europe/Madrid', 'Tuesday 14 July 2026 at 12:05:09 in Europe/Madrid (GMT+2)'],
  ['tokyo', 'Tuesday 14 July 2026 at 19:05:09 in Asia/Tokyo (GMT+9)'],
  ['new york', 'Tuesday 14 July 2026 at 06:05:09 in America/New_York (GMT-4)'],
])('the clock knows %s', (zone, text) => {
  expect(tellTime(moment, zone).replace(/,|(?<=GMT)\+0(?=\))/g, '')).toBe(text)
})

test('without a zone the clock tells the time of this device', () => {
  const here = new Intl.DateTimeFormat().resolvedOptions().timeZone
  for (const zone of [undefined, '', 'local', 'Local time'])
    expect(tellTime(moment, zone)).toContain(` in ${here} (`)
})

test('a zone that there is not is refused in a sentence', () => {
  expect(() => tellTime(moment, 'Mars/Base')).toThrow(ToolError)
  expect(runTool('clock', '{"time_zone":"Mars/Base"}')).toMatchObject({
    result: 'Error: "Mars/Base" is not a time zone. Use a name such as "Europe/Madrid" or "UTC".',
    failed: true,
  })
})

test('a tool that works gives its result and how long it took', () => {
  const { result, failed, tookMs } = runTool('calculator', '{"expression":"17 * 23"}')
  expect([result, failed]).toEqual(['391', undefined])
  expect(tookMs).toBeGreaterThanOrEqual(0)
})

test.each([
  ['calculator', '{"expression":', 'Error: The arguments are not JSON.'],
  ['calculator', '[1]', 'Error: The arguments are not a JSON object.'],
  ['calculator', '{}', 'Error: The expression ends where a number is expected.'],
  ['toString', '{}', 'Error: There is no tool "toString". There are: calculator, clock.'],
])('%s with %s: what is wrong comes back as text', (name, json, result) => {
  expect(runTool(name, json)).toMatchObject({ result, failed: true })
})

test('what a model may write as an expression is what the calculator reads', () => {
  const [calculator] = toolDefinitions(['calculator'])
  const { properties } = calculator!.function.parameters as {
    properties: { expression: { pattern: string } }
  }
  const pattern = new RegExp(properties.expression.pattern)
  for (const text of ['17 * 23', '-(2+3)^2 % 7', 'sqrt(1764)', '2*pi', '12.5 + 7.25', 'ln(e)']) {
    expect(text).toMatch(pattern)
    expect(runTool('calculator', JSON.stringify({ expression: text }))).not.toHaveProperty('failed')
  }
  for (const text of ['', 'The time', '12.5, 7.25', '17 * 23}}</tool_call>'])
    expect(text).not.toMatch(pattern)
})

test('every tool is described under its name, with arguments that are held to a schema', () => {
  const definitions = toolDefinitions(toolNames)
  expect(definitions.map((each) => each.function.name)).toEqual([...toolNames])
  for (const each of definitions) expect(each.function.strict).toBe(true)
})
