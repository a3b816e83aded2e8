import { answering } from '../state/answering.ts'
import type { Question } from '../state/conversation.ts'
import { draft, editing } from '../state/page.ts'

interface QuestionProps {
  readonly question: Question
  /** Only the last one can be asked in other words. */
  readonly last: boolean
}

export function QuestionView({ question, last }: QuestionProps) {
  const edit = () => {
    draft.value = question.content
    editing.value = question.id
  }
  return (
    <article class="question" aria-label="You" data-editing={editing.value === question.id}>
      <div data-role="question">{question.content}</div>
      {last && answering.value === undefined && (
        <button type="button" class="word" aria-label="Edit question" onClick={edit}>
          Edit
        </button>
      )}
    </article>
  )
}
