import { expect, test } from 'vitest'
import {
  defaultSettings,
  generationParameters,
  parseSetting,
  reviveSettings,
  settingRanges,
} from './settings.ts'

const range = (key: string) => settingRanges.find((candidate) => candidate.key === key)!

test('a setting takes what is in its range and nothing else', () => {
  expect(parseSetting(range('temperature'), '0')).toBe(0)
  expect(parseSetting(range('temperature'), ' 0.75 ')).toBe(0.75)
  for (const text of ['', 'warm', '-0.1', '2.1', 'NaN', 'Infinity']) {
    expect(parseSetting(range('temperature'), text)).toBeUndefined()
  }
  expect(parseSetting(range('maxTokens'), '12.5')).toBeUndefined()
})

test('the defaults are values that the fields themselves would take', () => {
  for (const candidate of settingRanges) {
    if (candidate.key === 'seed') continue
    expect(parseSetting(candidate, String(defaultSettings[candidate.key]))).toBe(
      defaultSettings[candidate.key],
    )
  }
})

test('stored settings that are damaged fall back one by one', () => {
  expect(reviveSettings('nonsense')).toEqual(defaultSettings)
  expect(reviveSettings({ temperature: 99, topP: 0.5, systemPrompt: 7, other: 1 })).toEqual({
    ...defaultSettings,
    topP: 0.5,
  })
  const kept = { ...defaultSettings, temperature: 0, seed: 7, systemPrompt: 'Be brief.' }
  expect(reviveSettings(JSON.parse(JSON.stringify(kept)))).toEqual(kept)
})

test('temperature 0 asks for greedy decoding and no penalties', () => {
  expect(generationParameters({ ...defaultSettings, temperature: 0, seed: 3 })).toEqual({
    temperature: 0,
    max_tokens: 512,
  })
})

test('a seed is sent only if there is one', () => {
  expect(generationParameters(defaultSettings)).not.toHaveProperty('seed')
  expect(generationParameters({ ...defaultSettings, seed: 0 })).toMatchObject({ seed: 0, top_p: 0.9 })
})
