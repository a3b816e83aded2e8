import { useLayoutEffect, useRef } from 'preact/hooks'
import { BranchSwitcher } from '../chats/branch-switcher.tsx'
import { focusWhenDrawn } from '../controls/focus.ts'
import { answering, askQuestion } from '../state/answering.ts'
import type { Question } from '../state/conversation.ts'
import { model } from '../state/model.ts'
import { cancelEdit, editing } from '../state/page.ts'
import { words } from '../words/words.ts'

/** What the person asked, and the way to ask it in other words. */
export function QuestionView({ question }: { readonly question: Question }) {
  const said = words.value.chats
  if (editing.value === question.id) return <QuestionEditor question={question} />
  return (
    <article class="question" aria-label={said.you}>
      <div data-role="question" data-message={question.id}>
        {question.content}
      </div>
      <div class="question-acts">
        <BranchSwitcher id={question.id} />
        {answering.value === undefined && (
          <button
            type="button"
            class="word"
            aria-label={said.editQuestion}
            data-edit={question.id}
            onClick={() => {
              editing.value = question.id
            }}
          >
            {said.edit}
          </button>
        )}
      </div>
    </article>
  )
}

/** The question in its own place, so that what is in the box stays there. */
function QuestionEditor({ question }: { readonly question: Question }) {
  const said = words.value.chats
  const box = useRef<HTMLTextAreaElement>(null)
  useLayoutEffect(() => {
    const { length } = question.content
    box.current!.focus()
    box.current!.setSelectionRange(length, length)
    fitHeight(box.current!)
  }, [])
  const leave = () => {
    cancelEdit()
    // The button comes back with the next drawing, and with it the place of the keyboard.
    focusWhenDrawn(`[data-edit="${CSS.escape(question.id)}"]`)
  }
  const canSend = () => model.value.kind === 'ready' && answering.value === undefined
  const send = () => {
    const text = box.current!.value
    if (!canSend() || text.trim() === '') return
    cancelEdit()
    void askQuestion(text, question.id)
    if (!matchMedia('(pointer: coarse)').matches) {
      document.querySelector<HTMLTextAreaElement>('#message')?.focus()
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      send()
    } else if (event.key === 'Escape') {
      event.preventDefault()
      leave()
    }
  }
  return (
    <form
      class="question-editor"
      aria-label={said.editQuestion}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        ref={box}
        class="field"
        rows={1}
        aria-label={said.questionInOtherWords}
        defaultValue={question.content}
        onInput={(event) => fitHeight(event.currentTarget)}
        onKeyDown={onKeyDown}
      />
      <div class="question-editor-acts">
        <span class="small soft">{said.editKeepsBoth}</span>
        <button type="button" class="quiet" onClick={leave}>
          {words.value.controls.cancel}
        </button>
        <button type="submit" class="button" disabled={!canSend()}>
          {said.send}
        </button>
      </div>
    </form>
  )
}

function fitHeight(box: HTMLTextAreaElement): void {
  box.style.height = 'auto'
  box.style.height = `${Math.min(box.scrollHeight + 2, 320)}px`
}
