import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const source = fileURLToPath(new URL('..', import.meta.url))

/** Attributes whose value a person reads or hears. */
const spoken = new Set([
  'aria-label',
  'aria-description',
  'aria-valuetext',
  'alt',
  'label',
  'placeholder',
  'text',
  'title',
])

/** Names that are the same in every language, and signs. */
const isName = (text: string) =>
  /^(Brasa|ONNX|API|WebGPU|JSON|x-request-id|https:.*)$/.test(text) ||
  !/\p{L}{2}/u.test(text.replace(/&\w+;/g, ''))

/** Words in the markup of a file, which belong into words/: text between tags, and attributes that are read out. */
function wordsIn(path: string, code: string): readonly string[] {
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node)) found.push(node.text.trim())
    else if (ts.isJsxAttribute(node) && spoken.has(node.name.getText()))
      found.push(...literals(node.initializer))
    else if (ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent))
      found.push(...literals(node.expression))
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found.map((text) => text.trim()).filter((text) => text !== '' && !isName(text))
}

/** What a value can be as a text, without looking into calls and nested markup. */
function literals(node: ts.Node | undefined): readonly string[] {
  if (node === undefined) return []
  if (ts.isStringLiteralLike(node)) return [node.text]
  if (ts.isTemplateExpression(node))
    return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]
  if (ts.isJsxExpression(node) || ts.isParenthesizedExpression(node)) return literals(node.expression)
  if (ts.isConditionalExpression(node)) return [...literals(node.whenTrue), ...literals(node.whenFalse)]
  if (ts.isBinaryExpression(node)) {
    const isChoice = /^(&&|\|\||\?\?|\+)$/.test(node.operatorToken.getText())
    return isChoice ? [...literals(node.left), ...literals(node.right)] : []
  }
  return []
}

/** What the engine says, put on the page as it came: it speaks English, and engineWords says it in the page's language. */
function enginesOwnIn(path: string, code: string): readonly string[] {
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const shown = ts.isJsxExpression(node) && !ts.isJsxAttribute(node.parent) ? node.expression : undefined
    const said = shown?.getText() ?? ''
    if (/^[\w.]*(?:message|reason|adapter|failure)$/.test(said)) found.push(said)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) => /\.tsx$/.test(path))

test('the scan finds what it is for', () => {
  const code = `const x = <p title="A title" class="small">Some words {ready ? 'yes' : \`no, \${n} left\`} {say('key')}</p>`
  expect(wordsIn('x.tsx', code)).toEqual(['A title', 'Some words', 'yes', 'no,', 'left'])
  expect(wordsIn('y.tsx', `<Bar label={words.value.bar} text={'·'} />`)).toEqual([])
  expect(files.length).toBeGreaterThan(30)
})

test.each(files)('%s says nothing of the engine’s as it came', (path) => {
  expect(enginesOwnIn(path, readFileSync(join(source, path), 'utf8'))).toEqual([])
})

test('the scan finds what the engine says', () => {
  expect(
    enginesOwnIn('x.tsx', '<p title={a.message}>{state.message} {engineWords(reason)} {reason}</p>'),
  ).toEqual(['state.message', 'reason'])
})

test.each(files)('%s has its words from words/', (path) => {
  expect(wordsIn(path, readFileSync(join(source, path), 'utf8')), relative('.', path)).toEqual([])
})
