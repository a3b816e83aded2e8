import fc from 'fast-check'
import { h, render } from 'preact'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { AnswerText } from './answer-text.tsx'
import { highlighted } from './highlight.ts'

const root = document.body.appendChild(document.createElement('div'))
const code = () => root.querySelector('code')!
const show = (content: string) => render(h(AnswerText, { content }), root)

const python = `# Sorted by length, longest first.
def longest(words: list[str], limit=3):
    """The longest of them."""
    return sorted(words, key=lambda w: -len(w))[:limit]

print(longest(["a", "bb"], 2))`

beforeAll(async () => {
  await import('../theme/tokens.css')
  await import('../theme/base.css')
  await import('../controls/controls.css')
  await import('./chat.css')
})

afterEach(() => render(null, root))

test('code is coloured once the highlighter is there, and neither its text nor its place changes', async () => {
  show(`Look:\n\n\`\`\`python\n${python}\n\`\`\`\n\nThe end.`)
  const place = () => {
    const { top, height } = code().getBoundingClientRect()
    return { top, height, whole: root.getBoundingClientRect().height }
  }
  const before = place()
  expect(code().textContent).toBe(python)
  await expect.poll(() => code().querySelector('.hljs-keyword')?.textContent).toBe('def')
  expect(code().textContent).toBe(python)
  expect(place()).toEqual(before)
})

test('while code is being written its text is always whole, and what was coloured keeps its nodes', async () => {
  show('```python\ndef')
  await expect.poll(() => code().querySelector('.hljs-keyword')?.textContent).toBe('def')
  show(`\`\`\`python\n${python.slice(35, 70)}`)
  await expect.poll(() => code().querySelector('.hljs-keyword')?.textContent).toBe('def')
  const keyword = code().querySelector('.hljs-keyword')
  for (let end = 70; end <= python.length; end += 3) {
    const part = python.slice(35, end).trimEnd()
    show(`\`\`\`python\n${part}`)
    expect(code().textContent).toBe(part)
  }
  await expect.poll(() => [...code().querySelectorAll('.hljs-number')].at(-1)?.textContent).toMatch(/\d/)
  expect(code().querySelector('.hljs-keyword')).toBe(keyword)
})

test('a language that is not known, and one that names an object’s own parts, stays plain', async () => {
  for (const language of ['klingon', '__proto__', 'constructor', 'toString']) {
    expect(highlighted('let x = 1', language)).toBeUndefined()
  }
  expect(highlighted('x'.repeat(50_000), 'js')).toBeUndefined()
})

test('whatever the code is, colouring makes spans with a class and the same text', () => {
  const languages = fc.constantFrom(
    'js',
    'ts',
    'py',
    'html',
    'css',
    'bash',
    'json',
    'md',
    'sql',
    'php',
    'rust',
    'c++',
    'diff',
  )
  const pieces = fc.constantFrom(
    ...[
      '<script>',
      '</span>',
      '&lt;',
      '&amp;',
      '"',
      "'",
      '`',
      '${',
      '}',
      '<?php',
      '/*',
      '//',
      '\n',
      '<!--',
      'let x = 1',
      '# ',
      '"""',
      '<span class="x">',
    ],
  )
  fc.assert(
    fc.property(
      languages,
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((all) => all.join('')),
      ),
      (language, text) => {
        const fragment = highlighted(text, language)!
        expect(fragment.textContent).toBe(text)
        for (const element of fragment.querySelectorAll('*')) {
          expect(element.localName).toBe('span')
          expect(element.getAttributeNames()).toEqual(['class'])
        }
      },
    ),
    { numRuns: 300 },
  )
})

/** WCAG 2.2, 1.4.3, of a colour as the screen has it. */
function luminance(colour: string): number {
  const context = new OffscreenCanvas(1, 1).getContext('2d')!
  context.fillStyle = colour
  context.fillRect(0, 0, 1, 1)
  const [red, green, blue] = [...context.getImageData(0, 0, 1, 1).data].map((channel) => {
    const value = channel / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(first: string, second: string): number {
  const [dark, light] = [luminance(first), luminance(second)].sort((a, b) => a - b) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

test.each(['light', 'dark'])('%s: every colour of code reaches AA', async (scheme) => {
  document.documentElement.style.colorScheme = scheme
  show('```js\nx\n```')
  const classes = 'comment keyword string number title type attr built_in addition deletion subst'.split(' ')
  for (const name of classes) {
    code().innerHTML = `<span class="hljs-${name}">x</span>`
    const { color } = getComputedStyle(code().firstElementChild!)
    const { backgroundColor } = getComputedStyle(root.querySelector('.code')!)
    expect(contrast(color, backgroundColor), name).toBeGreaterThanOrEqual(4.5)
  }
  document.documentElement.style.colorScheme = ''
})

test.each(['light', 'dark'])('%s: text on every ground of the heat view reaches AA', async (scheme) => {
  await import('./heat.css')
  document.documentElement.style.colorScheme = scheme
  document.body.style.cssText = 'color: var(--ink); background: var(--paper)'
  root.innerHTML = `<div class="heat">${[0, 1, 2, 3, 4].map((heat) => `<span class="token heat-${heat}">x</span>`).join('')}</div>`
  for (const token of root.querySelectorAll('.token')) {
    const { backgroundColor, color } = getComputedStyle(token)
    const ground =
      backgroundColor === 'rgba(0, 0, 0, 0)'
        ? getComputedStyle(document.body).backgroundColor
        : backgroundColor
    expect(contrast(color, ground), token.className).toBeGreaterThanOrEqual(4.5)
  }
  root.replaceChildren()
  document.body.style.cssText = ''
  document.documentElement.style.colorScheme = ''
})
