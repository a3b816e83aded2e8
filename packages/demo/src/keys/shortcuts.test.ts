import { expect, test } from 'vitest'
import { en } from '../words/en.ts'
import { meaningOf, type Pressed, shortcuts } from './shortcuts.ts'

const press = (key: string, rest: Partial<Pressed> = {}): Pressed => ({
  key,
  code: '',
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  ...rest,
})

test('every key that is listed is told in words, once, and no two keys are the same', () => {
  const listed = shortcuts.map(({ does }) => does)
  expect([...listed].sort()).toEqual(Object.keys(en.keys.meanings).sort())
  expect(new Set(shortcuts.map(({ keys }) => keys.join(' '))).size).toBe(shortcuts.length)
})

test('every listed key with a modifier, and the plain ones of the whole page, do what the list says', () => {
  const ofTheBoxOrTheList = new Set([
    'send',
    'breakLine',
    'editLast',
    'deleteChat',
    'sendRequest',
    'stepToken',
  ])
  for (const { keys, does } of shortcuts.filter((shortcut) => !ofTheBoxOrTheList.has(shortcut.does))) {
    const last = keys.at(-1)!
    const key =
      { '↑': 'ArrowUp', '↓': 'ArrowDown', Esc: 'Escape', '1…6': '3' }[last as string] ?? last.toLowerCase()
    const modifiers = { altKey: keys[0] === 'Alt', ctrlKey: keys[0] === 'mod' }
    expect(meaningOf(press(key, modifiers))?.does, keys.join(' ')).toBe(does)
  }
})

test('Command counts as Ctrl, and Option by the place of the key, since it types other letters', () => {
  expect(meaningOf(press('k', { metaKey: true }))).toEqual({ does: 'search' })
  expect(meaningOf(press('Dead', { altKey: true, code: 'KeyN' }))).toEqual({ does: 'newChat' })
  expect(meaningOf(press('≤', { altKey: true, code: 'Comma' }))).toEqual({ does: 'preferences' })
  expect(meaningOf(press('¡', { altKey: true, code: 'Digit1' }))).toEqual({ does: 'goToPart', part: 0 })
})

test('where the letters lie elsewhere, the letter counts', () => {
  expect(meaningOf(press('m', { altKey: true, code: 'Semicolon' }))).toEqual({ does: 'chooseModel' })
})

test('keys of the browser, of AltGr and of plain typing are left alone', () => {
  for (const pressed of [
    press('n'),
    press('n', { ctrlKey: true }),
    press('k', { ctrlKey: true, metaKey: true }),
    press('k', { ctrlKey: true, shiftKey: true }),
    press('n', { altKey: true, ctrlKey: true }),
    press('/', { ctrlKey: true }),
    press('9', { altKey: true }),
  ]) {
    expect(meaningOf(pressed)).toBeUndefined()
  }
})
