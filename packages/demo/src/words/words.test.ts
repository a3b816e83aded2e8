import { afterEach, expect, test } from 'vitest'
import { formatBytes, formatBytesOf, formatCount, formatMeasured, formatRate } from '../format/units.ts'
import { en } from './en.ts'
import { engineWords } from './engine-words.ts'
import { es } from './es.ts'
import { language, words } from './words.ts'

/** The words of a language with their places, functions called with their own arguments' names. */
function flatten(value: unknown, place = ''): readonly (readonly [string, unknown])[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => flatten(inner, `${place}.${key}`))
  }
  return [[place, value]]
}

const english = new Map(flatten({ ...en, engine: undefined }))
const spanish = new Map(flatten({ ...es, engine: undefined }))

afterEach(() => {
  language.value = 'en'
  words.value = en
})

test('Spanish has the same words as English, of the same kind, and none of them empty', () => {
  expect([...spanish.keys()].sort()).toEqual([...english.keys()].sort())
  for (const [place, word] of spanish) {
    expect(typeof word, place).toBe(typeof english.get(place))
    if (typeof word === 'string') expect(word.trim(), place).not.toBe('')
  }
})

/** A word that is the same in both languages, or the name of a thing. */
const namesOf =
  /^[\W\d]*$|^(Chats?|Models?|ONNX|API|JSON|Markdown|WebGPU|WebAssembly|ONNX Runtime|Error|Total|Esc|Alt|Ctrl|No|tokens?|Min p|Top [pk])$/i

test('no sentence was left in English', () => {
  const left = [...spanish].filter(
    ([place, word]) => typeof word === 'string' && word === english.get(place) && !namesOf.test(word),
  )
  expect(left.filter(([, word]) => /\s/.test(String(word)))).toEqual([])
})

test('words with something in them say it, in both languages', () => {
  for (const [place, word] of [...english, ...spanish]) {
    if (typeof word !== 'function') continue
    for (const number of [1, 2]) {
      const said = word(...Array.from({ length: word.length }, () => number))
      expect(said, place).toMatch(/\S/)
      expect(said, place).not.toMatch(/undefined|NaN|\[object/)
    }
  }
})

test('figures follow the language', () => {
  expect([formatCount(16_384), formatBytes(4.2e6), formatMeasured(310)]).toEqual([
    '16,384',
    '4.2 MB',
    '0.31 s',
  ])
  expect(formatBytesOf(62e6, 98e6)).toBe('62 of 98 MB')
  language.value = 'es'
  words.value = es
  expect([formatCount(16_384), formatBytes(4.2e6), formatMeasured(310)]).toEqual([
    '16.384',
    '4,2 MB',
    '0,31 s',
  ])
  expect(formatCount(1234)).toBe('1.234')
  expect(formatBytesOf(62e6, 98e6)).toBe('62 de 98 MB')
  expect(formatRate(6.34)).toBe('6,3 tokens/s')
})

test('the engine’s sentences are told in Spanish where it has them, with what stands in them', () => {
  const slow = 'WebAssembly was 11 times faster than WebGPU here: 5.2 ms against 58 ms for one layer.'
  expect(engineWords(slow)).toBe(slow)
  language.value = 'es'
  words.value = es
  expect(engineWords(slow)).toBe(
    'WebAssembly fue aquí 11 veces más rápido que WebGPU: 5.2 ms frente a 58 ms por capa.',
  )
  expect(engineWords('WebGPU could not be used: This browser has no WebGPU.')).toBe(
    'No se pudo usar WebGPU: Este navegador no ofrece WebGPU.',
  )
  expect(engineWords('the CPU, 2 threads')).toBe('la CPU, 2 hilos')
  const moved =
    'WebGPU could not be used: This browser has no WebGPU. WebAssembly goes on from here, on the CPU. Load the model again to choose anew.'
  expect(engineWords(moved)).toBe(
    'No se pudo usar WebGPU: Este navegador no ofrece WebGPU. Desde aquí sigue WebAssembly, en la CPU. Vuelve a cargar el modelo para que se elija de nuevo.',
  )
  expect(engineWords('"quads" was the fastest here. For one layer: "base" 4 ms, "quads" 3 ms.')).toBe(
    '«quads» fue aquí la más rápida. Por capa: "base" 4 ms, "quads" 3 ms.',
  )
  const tooMuch =
    'On WebGPU this model takes 900 MiB (700 MiB of weights, 180 MiB for 8192 tokens), and there are at most 512 MiB. Choose a smaller model or quantisation.'
  expect(engineWords(tooMuch)).toContain('ocupa 900 MiB (700 MiB de pesos, 180 MiB para 8192 tokens)')
  expect(engineWords('Something new.')).toBe('Something new.')
})
