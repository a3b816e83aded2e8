import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { Icon } from '../controls/icon.tsx'
import { answering } from '../state/answering.ts'
import { currentChat } from '../state/chats.ts'
import { chatTitle, type Message, shownMessages } from '../state/conversation.ts'
import { waitsForChat } from '../state/keeping.ts'
import { soughtId } from '../state/shown.ts'
import { words } from '../words/words.ts'
import { Announcer, type Heard } from './announcer.tsx'
import { AnswerView } from './answer.tsx'
import { useDrawnFrom } from './drawing.ts'
import { useFollowing } from './following.ts'
import { Opening } from './opening.tsx'
import { QuestionView } from './question.tsx'
import './chat.css'

/** The open chat. Follows the answer as long as its end is in sight, and lets go once the reader scrolls away. */
export function Talk() {
  const scroller = useRef<HTMLDivElement>(null)
  const column = useRef<HTMLDivElement>(null)
  const chat = currentChat.value
  const messages = shownMessages(chat)
  // Another branch is no new question: the reader stays where they are.
  const lastAsked = useRef('')
  if (answering.value?.chatId === chat.id) lastAsked.current = answering.value.answerId

  const { follows, onScroll, toEnd } = useFollowing(
    scroller,
    column,
    answering.value !== undefined,
    `${chat.id} ${lastAsked.current}`,
  )
  const heard = useMemo(followAnswer, [])
  const sought = messages.findIndex(({ id }) => id === soughtId.value)
  const from = useDrawnFrom(scroller, chat.id, messages.length, sought >= 0)
  useLayoutEffect(() => {
    if (sought < 0) return
    column.current!.children[sought]?.scrollIntoView({ block: 'center' })
    soughtId.value = undefined
  }, [sought])
  return (
    <div class="talk-frame">
      <div class="talk" ref={scroller} onScroll={onScroll}>
        {messages.length > 0 && <h1 class="visually-hidden">{chatTitle(chat) || words.value.app.chat}</h1>}
        <div class="column" ref={column} role="log" aria-label={words.value.app.chat} aria-live="off">
          {messages.length === 0 && !waitsForChat.value && <Opening />}
          {messages.slice(from).map((message, index) => (
            <MessageView key={message.id} message={message} last={from + index === messages.length - 1} />
          ))}
        </div>
      </div>
      <Announcer heard={heard} />
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

/** The answer that is written in the open chat, and once more when it has ended. */
function followAnswer(): () => Heard | undefined {
  let id: string | undefined
  return () => {
    const now = answering.value
    id = now?.answerId ?? id
    const answer = currentChat.value.messages.find((message) => message.id === id)
    if (id === undefined || answer === undefined) return undefined
    return { id, content: answer.content, hasEnded: now === undefined }
  }
}

interface MessageProps {
  readonly message: Message
  readonly last: boolean
}

/** Drawn again only when the message itself has changed: an answer changes its chat with every frame. */
function MessageView({ message, last }: MessageProps) {
  return useMemo(
    () =>
      message.role === 'user' ? (
        <QuestionView question={message} />
      ) : (
        <AnswerView answer={message} last={last} />
      ),
    [message, last],
  )
}
