import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { CopyButton } from '../controls/copy.tsx'
import { markdownBlocks, safeFragment } from './markdown.ts'

/** An answer's Markdown. Blocks that did not change keep their nodes, and with them the reader's selection. */
export function AnswerText({ content }: { readonly content: string }) {
  const blocks = useMemo(() => markdownBlocks(content), [content])
  return (
    <>
      {blocks.map((block, index) => {
        const key = `${index} ${block.kind}`
        return block.kind === 'code' ? (
          <CodeBlock key={key} language={block.language} text={block.text} />
        ) : (
          <TextBlock key={key} html={block.html} />
        )
      })}
    </>
  )
}

function TextBlock({ html }: { readonly html: string }) {
  const block = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => block.current?.replaceChildren(safeFragment(html)), [html])
  return <div class="block" ref={block} />
}

function CodeBlock({ language, text }: { readonly language: string; readonly text: string }) {
  return (
    <div class="code">
      <div class="code-head">
        <span>{language}</span>
        <CopyButton text={() => text} label="code" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: code that scrolls sideways must be scrollable by keys. */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
    </div>
  )
}
