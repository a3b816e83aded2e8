import DOMPurify, { type Config } from 'dompurify'
import { Marked, type Token } from 'marked'

/** A top-level piece of an answer. While an answer streams only its last block changes. */
export type Block =
  | { readonly kind: 'text'; readonly html: string }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }

/** Raw HTML in an answer is shown as the text it is; pictures are not fetched, since the page asks other hosts for nothing. */
const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    html: ({ text }) => escapeHtml(text),
    // A box that cannot be ticked is a sign, and the only form control that Markdown has.
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    image: ({ text, href }) => escapeHtml(text === '' ? href : text),
  },
})

const allowed: Config = {
  ALLOWED_TAGS: [
    ...['p', 'br', 'strong', 'em', 'del', 'code', 'pre', 'blockquote', 'hr', 'a', 'ul', 'ol', 'li'],
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  ALLOWED_ATTR: ['href', 'title', 'align', 'start'],
  ADD_URI_SAFE_ATTR: ['align', 'start'],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
}

/** Splits Markdown, finished or not, into blocks. Block HTML is not safe yet: see `safeFragment`. */
export function markdownBlocks(markdown: string): readonly Block[] {
  return marked.lexer(markdown).filter(isShown).map(block)
}

/** How many of the last blocks what comes next may still change. */
const numOpen = 2

/** What changes blocks elsewhere: definitions, tags inside of which the parser makes no links; and line ends that it rewrites. */
const reachesFar = /\r|^[\s>*+\-\d.)]{0,99}\[[^\]]{0,999}\]:|<\/?(?:a|pre|code|kbd|script)\b/im

/**
 * `markdownBlocks` for a text that grows: what can no longer change is not read again, so that the hundredth paragraph costs
 * no more than the first.
 */
export function createBlockReader(): (markdown: string) => readonly Block[] {
  let settledText = ''
  let settled: readonly Block[] = []
  return (markdown) => {
    if (!markdown.startsWith(settledText)) {
      settledText = ''
      settled = []
    }
    const tokens = marked.lexer(markdown.slice(settledText.length))
    if (reachesFar.test(markdown) || tokens.some(({ type }) => type === 'def')) {
      return markdownBlocks(markdown)
    }
    const shown = tokens.filter(isShown)
    const blocks = [...settled, ...shown.map(block)]
    if (shown.length > numOpen) {
      const open = tokens.indexOf(shown[shown.length - numOpen]!)
      settled = blocks.slice(0, -numOpen)
      settledText += tokens.slice(0, open).reduce((raw, token) => raw + token.raw, '')
    }
    return blocks
  }
}

function isShown({ type }: Token): boolean {
  return type !== 'space' && type !== 'def'
}

/** What of `html` may be shown: text, structure, and links that open elsewhere. Needs a DOM. */
export function safeFragment(html: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(html, { ...allowed, RETURN_DOM_FRAGMENT: true })
  for (const link of fragment.querySelectorAll('a')) {
    if (!URL.canParse(link.getAttribute('href') ?? '')) link.removeAttribute('href')
    link.target = '_blank'
    link.rel = 'noopener noreferrer nofollow'
  }
  for (const table of fragment.querySelectorAll('table')) frame(table)
  for (const item of fragment.querySelectorAll('li')) {
    if (/^[☐☑] /.test(item.textContent)) item.className = 'task'
  }
  return fragment
}

/** A wide table scrolls sideways in a frame of its own, by keys too. */
function frame(table: HTMLTableElement): void {
  const around = document.createElement('div')
  around.className = 'table'
  around.tabIndex = 0
  table.replaceWith(around)
  around.append(table)
}

function block(token: Token): Block {
  if (token.type === 'code') {
    return { kind: 'code', language: (token.lang ?? '').split(/\s/, 1)[0] ?? '', text: token.text }
  }
  return { kind: 'text', html: marked.parser([token]).trim() }
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
