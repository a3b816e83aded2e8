import { answerAgain, answering, reloadAndAnswer } from '../state/answering.ts'
import { startChat } from '../state/chats.ts'
import type { Answer } from '../state/conversation.ts'
import { model } from '../state/model.ts'
import { sheet } from '../state/page.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'

interface FailureProps {
  readonly answer: Answer
  readonly last: boolean
}

/** What went wrong, and the button that helps. */
export function FailureLine({ answer, last }: FailureProps) {
  const { code, message } = answer.failure!
  return (
    <div class="notice" role="alert" data-code={code}>
      <p>{engineWords(message)}</p>
      {last && <FailureAction answer={answer} />}
    </div>
  )
}

/** Codes after which the engine at hand is of no more use. */
const needsReload = new Set(['device_lost', 'worker_lost', 'disposed', 'out_of_memory'])

function FailureAction({ answer: { id, failure, format } }: { readonly answer: Answer }) {
  const { answer: said } = words.value
  const { code } = failure!
  const idle = answering.value === undefined
  if (code === 'context_length_exceeded') {
    return (
      <button type="button" class="quiet" onClick={startChat}>
        {said.newChat}
      </button>
    )
  }
  // The schema says something that answers cannot be held to.
  if (format === 'json' && code === 'invalid_request') {
    return (
      <button type="button" class="quiet" onClick={() => (sheet.value = 'options')}>
        {said.changeSchema}
      </button>
    )
  }
  if (needsReload.has(code)) {
    return (
      <button
        type="button"
        class="quiet"
        disabled={!idle || model.value.kind === 'loading'}
        onClick={() => reloadAndAnswer(id, code)}
      >
        {said.reloadModel}
      </button>
    )
  }
  return (
    <button
      type="button"
      class="quiet"
      disabled={!idle || model.value.kind !== 'ready'}
      onClick={() => answerAgain(id)}
    >
      {said.again}
    </button>
  )
}
