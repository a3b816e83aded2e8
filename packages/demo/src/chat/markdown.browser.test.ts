import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hostilePieces } from './hostile.test-support.ts'
import { createBlockReader, markdownBlocks, safeFragment } from './markdown.ts'

/** The answer as the page would show it. */
function show(markdown: string): HTMLElement {
  const root = document.createElement('div')
  for (const block of markdownBlocks(markdown)) {
    if (block.kind === 'text') root.append(safeFragment(block.html))
    else root.append(Object.assign(document.createElement('pre'), { textContent: block.text }))
  }
  return root
}

/** What an attack would set. */
const trap = globalThis as { caught?: string }

const attacks = [
  '<script>globalThis.caught = "script"</script>',
  '<img src="x" onerror="globalThis.caught = \'onerror\'">',
  '<svg onload="globalThis.caught = \'onload\'"><script>globalThis.caught = 1</script></svg>',
  '<iframe srcdoc="<script>parent.caught = 1</script>"></iframe>',
  '[click](javascript:globalThis.caught=1)',
  '[click](JaVa&#115;cript:globalThis.caught=1)',
  '[click](data:text/html,<script>parent.caught=1</script>)',
  '<a href="vbscript:x" onclick="globalThis.caught=1">click</a>',
  '![](https://example.com/pixel.png)',
  '<style>body { display: none }</style>',
  '<form action="https://example.com"><input name="secret"></form>',
  '<math><mtext><table><mglyph><style><img src=x onerror="globalThis.caught=1">',
  '`` ` <img src=x onerror=globalThis.caught=1> ``',
  '| a |\n|---|\n| <img src=x onerror=globalThis.caught=1> |',
]

test.each(attacks)('%s runs nothing and fetches nothing', async (markdown) => {
  delete trap.caught
  const shown = show(markdown)
  document.body.append(shown)
  for (const link of shown.querySelectorAll('a')) {
    expect(link.getAttribute('href') ?? 'https:').toMatch(/^(https?|mailto):/)
    expect([...link.attributes].map(({ name }) => name)).not.toContain('onclick')
  }
  expect(
    shown.querySelector('script, img, svg, iframe, style, form, input, math, [style], [onerror]'),
  ).toBeNull()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(trap.caught).toBeUndefined()
  shown.remove()
})

test('HTML that slips past the Markdown parser is cleaned as well', () => {
  const root = document.createElement('div')
  root.append(safeFragment('<p onclick="x">ok<script>bad()</script><img src=x onerror=bad()><b>bold</b></p>'))
  expect(root.innerHTML).toBe('<p>okbold</p>')
})

test('structure survives: emphasis, lists, tables, and links that open elsewhere', () => {
  const shown = show(
    'A **bold** word and [a link](https://example.com "t").\n\n3. three\n4. four\n\n| a | b |\n|---|--:|\n| 1 | 2 |',
  )
  expect(shown.querySelector('strong')?.textContent).toBe('bold')
  expect(shown.querySelector('ol')?.getAttribute('start')).toBe('3')
  expect(shown.querySelectorAll('td')).toHaveLength(2)
  expect(shown.querySelector('a')?.rel).toContain('noopener')
})

test('tasks are signs, and a table has a frame that keys can scroll', () => {
  const shown = show('- [x] done\n- [ ] open\n- plain\n\n| a |\n|---|\n| 1 |')
  const items = [...shown.querySelectorAll('li')].map((item) => [item.textContent?.trim(), item.className])
  expect(items).toEqual([
    ['☑ done', 'task'],
    ['☐ open', 'task'],
    ['plain', ''],
  ])
  expect(shown.querySelector<HTMLElement>('.table:has(> table)')?.tabIndex).toBe(0)
})

test('raw HTML is shown as text', () => {
  expect(show('Use <b>bold</b> tags').textContent?.trim()).toBe('Use <b>bold</b> tags')
})

test('a fence that is still open is code already, and its text is not parsed', () => {
  const blocks = markdownBlocks('Look:\n\n```python title\nx = "<b>"\n')
  expect(blocks.at(-1)).toEqual({ kind: 'code', language: 'python', text: 'x = "<b>"' })
})

test('as an answer grows, the blocks before the last one stay the same', () => {
  const text = 'One **two**.\n\n- a\n- b\n\n```js\nlet x\n```\n\nThe end.'
  const whole = markdownBlocks(text)
  for (let end = 1; end < text.length; end++) {
    const part = markdownBlocks(text.slice(0, end))
    expect(part.slice(0, -1)).toEqual(whole.slice(0, Math.max(0, part.length - 1)))
  }
})

test('what is read as it grows is what is read at once', () => {
  const pieces = fc.constantFrom(
    ...hostilePieces,
    ...[
      'one\n',
      '    code\n',
      '  more\n',
      '- a\n',
      '1. b\n',
      '\n',
      '\n\n',
      '---\n',
      '===\n',
      '> q\n',
      '```\n',
    ],
    ...[
      '| a |\n|---|\n',
      '[x]: https://example.com\n',
      '> [x]: https://example.com\n',
      '- [x]: /url\n',
      '[x]',
      '\r\n',
      '<div>\n',
      '\t',
      '# h\n',
    ],
  )
  fc.assert(
    fc.property(fc.array(pieces, { minLength: 1, maxLength: 25 }), (parts) => {
      const read = createBlockReader()
      let text = ''
      for (const part of parts) {
        text += part
        expect(read(text)).toEqual(markdownBlocks(text))
      }
    }),
    { numRuns: 500 },
  )
})

test('a long answer costs no more at its end than at its beginning', () => {
  const read = createBlockReader()
  const paragraph = 'Words with **weight** and `code`, and a list:\n\n- one\n- two\n\n'
  let before: readonly unknown[] = []
  for (let index = 1; index <= 300; index++) {
    const blocks = read(paragraph.repeat(index))
    // The same objects: they were not read again.
    for (const [place, block] of before.slice(0, -2).entries()) expect(blocks[place]).toBe(block)
    before = blocks
  }
  expect(before).toEqual(markdownBlocks(paragraph.repeat(300)))
})
