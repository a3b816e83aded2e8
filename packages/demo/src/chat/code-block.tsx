import { signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { CopyButton } from '../controls/copy.tsx'
import { words } from '../words/words.ts'
import { appendText, patchChildren } from './patch.ts'
import './code.css'

type Highlighter = typeof import('./highlight.ts')

const highlighter = signal<Highlighter | undefined>(undefined)
let isFetching = false

/** Once; without it, as offline on a first visit, code stays plain. */
async function fetchHighlighter(): Promise<void> {
  if (isFetching) return
  isFetching = true
  try {
    highlighter.value = await import('./highlight.ts')
  } catch {
    isFetching = false
  }
}

/** Colouring takes at most one part in this many of the time while code is being written. */
const pace = 10

interface CodeProps {
  readonly language: string
  readonly text: string
}

export function CodeBlock({ language, text }: CodeProps) {
  const code = useRef<HTMLElement>(null)
  useColouredCode(code, language, text)
  return (
    <div class="code">
      <div class="code-head">
        <span>{language}</span>
        <CopyButton text={() => text} label={words.value.answer.code} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: code that scrolls sideways must be scrollable by keys. */}
      <pre tabIndex={0}>
        <code ref={code} />
      </pre>
    </div>
  )
}

/** The text is there at once; colours follow, which move nothing. */
function useColouredCode(
  code: { readonly current: HTMLElement | null },
  language: string,
  text: string,
): void {
  const { highlighted } = highlighter.value ?? {}
  const paint = useRef({ shown: '', tookMs: 0, at: 0 }).current
  useEffect(() => {
    if (language !== '') void fetchHighlighter()
  }, [language])
  useLayoutEffect(() => {
    const element = code.current!
    if (text.startsWith(paint.shown)) appendText(element, text.slice(paint.shown.length))
    else element.textContent = text
    paint.shown = text
    if (highlighted === undefined) return
    const colour = () => {
      const start = performance.now()
      const spans = highlighted(text, language)
      if (spans !== undefined) patchChildren(element, spans)
      paint.at = performance.now()
      paint.tookMs = paint.at - start
    }
    const rest = paint.at + pace * paint.tookMs - performance.now()
    if (rest <= 0) return colour()
    const timer = setTimeout(colour, rest)
    return () => clearTimeout(timer)
  }, [text, language, highlighted])
}
