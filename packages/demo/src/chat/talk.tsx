import { useSignal } from '@preact/signals'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { Icon } from '../controls/icon.tsx'
import { answering } from '../state/answering.ts'
import { currentChat } from '../state/chats.ts'
import { type Message, shownMessages } from '../state/conversation.ts'
import { waitsForChat } from '../state/keeping.ts'
import { soughtId } from '../state/shown.ts'
import { AnswerView } from './message.tsx'
import { Opening } from './opening.tsx'
import { QuestionView } from './question.tsx'
import './chat.css'

/** How near to the end counts as reading along, in pixels. */
const nearEnd = 64

/** The open chat. Follows the answer as long as its end is in sight, and lets go once the reader scrolls away. */
export function Talk() {
  const scroller = useRef<HTMLDivElement>(null)
  const column = useRef<HTMLDivElement>(null)
  const follows = useSignal(true)
  const chat = currentChat.value
  const messages = shownMessages(chat)
  const asked = answering.value?.chatId === chat.id ? answering.value.answerId : undefined

  const follow = () => {
    follows.value = true
    scrollToEnd(scroller.current!)
  }
  // Another chat, or a new question, is followed anew; another branch leaves the reader where they are.
  useLayoutEffect(follow, [chat.id])
  useLayoutEffect(() => {
    if (asked !== undefined) follow()
  }, [asked])
  useLayoutEffect(() => {
    const index = messages.findIndex(({ id }) => id === soughtId.value)
    if (index < 0) return
    soughtId.value = undefined
    follows.value = false
    column.current!.children[index]?.scrollIntoView({ block: 'center' })
  }, [messages, soughtId.value])
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
  return (
    <div class="talk-frame">
      <div class="talk" ref={scroller} onScroll={onScroll}>
        <div class="column" ref={column} role="log" aria-label="Chat" aria-live="polite">
          {messages.length === 0 && !waitsForChat.value && <Opening />}
          {messages.map((message, index) => (
            <MessageView key={message.id} message={message} last={index === messages.length - 1} />
          ))}
        </div>
      </div>
      {!follows.value && (
        <button
          type="button"
          class="to-end icon-button"
          aria-label="To the end"
          onClick={() => scrollToEnd(scroller.current!)}
        >
          <Icon name="down" />
        </button>
      )}
    </div>
  )
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

function scrollToEnd(element: HTMLElement): void {
  element.scrollTop = element.scrollHeight
}
