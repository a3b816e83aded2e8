import { useRef } from 'preact/hooks'
import { Icon } from '../controls/icon.tsx'
import { answering } from '../state/answering.ts'
import { currentChat } from '../state/chats.ts'
import { lastQuestion } from '../state/conversation.ts'
import { words } from '../words/words.ts'
import { Announcer } from './announcer.tsx'
import { AnswerView } from './answer.tsx'
import { useFollowing } from './following.ts'
import { QuestionView } from './message.tsx'
import { Opening } from './opening.tsx'
import './chat.css'

/** The open chat. Follows the answer as long as its end is in sight, and lets go once the reader scrolls away. */
export function Talk() {
  const scroller = useRef<HTMLDivElement>(null)
  const column = useRef<HTMLDivElement>(null)
  const chat = currentChat.value
  const numMessages = chat.messages.length

  const { follows, onScroll, toEnd } = useFollowing(
    scroller,
    column,
    answering.value !== undefined,
    `${chat.id} ${numMessages}`,
  )
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
          onClick={toEnd}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  )
}
