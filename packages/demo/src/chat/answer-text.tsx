import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { CodeBlock } from './code-block.tsx'
import { createBlockReader, safeFragment } from './markdown.ts'
import { patchChildren } from './patch.ts'

/** An answer's Markdown. Blocks that did not change keep their nodes, and with them the reader's selection. */
export function AnswerText({ content }: { readonly content: string }) {
  const read = useMemo(createBlockReader, [])
  const blocks = useMemo(() => read(content), [content])
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
  useLayoutEffect(() => patchChildren(block.current!, safeFragment(html)), [html])
  return <div class="block" ref={block} />
}
