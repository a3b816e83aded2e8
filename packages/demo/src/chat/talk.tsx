import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from '../controls/icon.tsx'
import { currentChat } from '../state/chats.ts'
import { lastQuestion } from '../state/conversation.ts'
import { words } from '../words/words.ts'
import { Announcer } from './announcer.tsx'
import { AnswerView, QuestionView } from './message.tsx'
import { Opening } from './opening.tsx'
import './chat.css'

/** How near to the end counts as reading along, in pixels. */
const nearEnd = 64

/** The open chat. Follows the answer as long as its end is in sight, and lets go once the reader scrolls away. */
export function Talk() {
  const scroller = useRef<HTMLDivElement>(null)
  const column = useRef<HTMLDivElement>(null)
  const follows = useSignal(true)
  const chat = currentChat.value
  const numMessages = chat.messages.length

  // Another chat, or a new question, is followed anew.
  useLayoutEffect(() => {
    follows.value = true
    scrollToEnd(scroller.current!)
  }, [chat.id, numMessages])
  useLayoutEffect(() => {
    const sizes = new ResizeObserver(() => {
      if (follows.peek()) scrollToEnd(scroller.current!)
    })
    sizes.observe(scroller.current!)
    sizes.observe(column.current!)
    return () => sizes.disconnect()
  }, [])

  const onScroll = () => {
    const { scrollHeight, scrollTop, clientHeight } = scroller.current!
    follows.value = scrollHeight - scrollTop - clientHeight < nearEnd
  }
  const questionId = lastQuestion(chat)?.id
  return (
    <div class="talk-frame">
      <div class="talk" ref={scroller} onScroll={onScroll}>
        <div class="column" ref={column} role="log" aria-label={words.value.app.chat} aria-live="off">
          {numMessages === 0 && <Opening />}
          {chat.messages.map((message, index) =>
            message.role === 'user' ? (
              <QuestionView key={message.id} question={message} last={message.id === questionId} />
            ) : (
              <AnswerView key={message.id} answer={message} last={index === numMessages - 1} />
            ),
          )}
        </div>
      </div>
      <Announcer />
      {!follows.value && (
        <button
          type="button"
          class="to-end icon-button"
          aria-label={words.value.app.toTheEnd}
          onClick={() => scrollToEnd(scroller.current!)}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  )
}

function scrollToEnd(element: HTMLElement): void {
  element.scrollTop = element.scrollHeight
}
