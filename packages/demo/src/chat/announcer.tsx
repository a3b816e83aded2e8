import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { answering } from '../state/answering.ts'
import { currentChat } from '../state/chats.ts'
import { nextSpoken } from './spoken.ts'

/** Once it is in the page it is going to be read; nobody should find it there a second time. */
const saidMs = 1500

const announced = signal('')

/** Reads an answer out sentence by sentence: a live region over the text itself would be read anew with every token. */
export function Announcer() {
  useEffect(() => {
    let answerId: string | undefined
    let end = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const follow = () => {
      const now = answering.peek()
      const id = now?.answerId ?? answerId
      const answer = currentChat.peek().messages.find((message) => message.id === id)
      if (id !== answerId) end = 0
      answerId = now?.answerId
      if (answer === undefined || id === undefined) return
      const next = nextSpoken(answer.content, end, now === undefined)
      if (next === undefined) return
      end = next.end
      announced.value = next.text
      clearTimeout(timer)
      timer = setTimeout(() => {
        announced.value = ''
      }, saidMs)
    }
    const stopCurrent = currentChat.subscribe(follow)
    const stopAnswering = answering.subscribe(follow)
    return () => {
      stopCurrent()
      stopAnswering()
      clearTimeout(timer)
    }
  }, [])
  return (
    <div class="visually-hidden" role="status" data-role="announcer">
      {announced.value}
    </div>
  )
}
