import { useLayoutEffect, useRef } from 'preact/hooks'
import { backendNames } from '../format/backend-names.ts'
import { LoadStrip } from '../load/load-strip.tsx'
import { answerOptions, canAnswer } from '../state/answer-options.ts'
import { answering, askQuestion, stopAnswering } from '../state/answering.ts'
import { currentChat } from '../state/chats.ts'
import { lastQuestion } from '../state/conversation.ts'
import { model } from '../state/model.ts'
import { draft, editing } from '../state/page.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { Notices } from './notices.tsx'
import { OptionsButton, OptionsOn, SchemaNotice } from './options-bar.tsx'
import './composer.css'

/** The box. What is typed stays in it until the model has taken it. */
export function Composer() {
  const { composer: said } = words.value
  const box = useRef<HTMLTextAreaElement>(null)
  const text = draft.value
  const busy = answering.value !== undefined
  const canSend =
    model.value.kind === 'ready' && !busy && text.trim() !== '' && canAnswer(answerOptions.value)

  useLayoutEffect(() => fitHeight(box.current!), [text])

  const send = () => {
    if (!canSend) return
    draft.value = ''
    void askQuestion(text)
    // On touch the focus would bring the keyboard back over the answer.
    if (!matchMedia('(pointer: coarse)').matches) box.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    // An input method's Enter picks a word.
    if (event.isComposing) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      send()
    } else if (event.key === 'ArrowUp' && !event.altKey && text === '' && !busy) {
      event.preventDefault()
      editLast()
    }
  }
  return (
    <div class="ask">
      <div class="ask-column">
        <Notices />
        <SchemaNotice />
        {currentChat.value.messages.length > 0 && <LoadStrip />}
        <OptionsOn />
        <form
          class="box"
          onSubmit={(event) => {
            event.preventDefault()
            send()
          }}
        >
          <OptionsButton />
          <textarea
            id="message"
            ref={box}
            rows={1}
            aria-label={said.message}
            placeholder={said.placeholder}
            enterkeyhint="send"
            value={text}
            onInput={(event) => {
              draft.value = event.currentTarget.value
            }}
            onKeyDown={onKeyDown}
          />
          {busy ? (
            <button key="stop" type="button" class="button" onClick={stopAnswering}>
              {said.stop}
            </button>
          ) : (
            <button
              key="send"
              type="submit"
              class="button"
              disabled={!canSend}
              aria-describedby={model.value.kind === 'ready' ? undefined : 'send-hint'}
            >
              {said.send}
            </button>
          )}
        </form>
        <RunsOn />
      </div>
    </div>
  )
}

/** Which backend on which adapter, in one line; without a model, why Send is off. */
function RunsOn() {
  const state = model.value
  if (state.kind !== 'ready') {
    const { whileLoading, withoutModel } = words.value.composer
    return (
      <p class="runs-on soft" id="send-hint">
        {state.kind === 'loading' ? whileLoading : state.kind === 'checking' ? '\u00a0' : withoutModel}
      </p>
    )
  }
  const { backend, adapter, reason } = state.engine.device
  return (
    <p class="runs-on soft" title={engineWords(reason)}>
      {words.value.composer.runsOn(backendNames[backend], engineWords(adapter))}
    </p>
  )
}

function editLast(): void {
  const question = lastQuestion(currentChat.value)
  if (question === undefined) return
  editing.value = question.id
}

/** Up to ten lines; then it scrolls. */
function fitHeight(box: HTMLTextAreaElement): void {
  box.style.height = 'auto'
  box.style.height = `${Math.min(box.scrollHeight, 240)}px`
}
