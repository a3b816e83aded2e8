import { effect, signal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { nextSpoken } from './spoken.ts'

/** Once it is in the page it is going to be read; nobody should find it there a second time. */
const saidMs = 1500

/** An answer that is being written, as far as it is. */
export interface Heard {
  readonly id: string
  readonly content: string
  readonly hasEnded: boolean
  /** Whose it is, where there are several; said once. */
  readonly speaker?: string
  /** Others are heard in between: the speaker is said each time. */
  readonly isAmongOthers?: boolean
}

interface AnnouncerProps {
  /** Reads signals, and is called again when they change. */
  readonly heard: () => Heard | undefined
}

/** Reads an answer out sentence by sentence: a live region over the text itself would be read anew with every token. */
export function Announcer({ heard }: AnnouncerProps) {
  const announced = useMemo(() => signal(''), [])
  useEffect(() => {
    let last = { id: '', end: 0, hasEnded: true }
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = effect(() => {
      const now = heard()
      if (now === undefined) return
      if (now.id !== last.id) last = { id: now.id, end: 0, hasEnded: false }
      if (last.hasEnded) return
      last.hasEnded = now.hasEnded
      const next = nextSpoken(now.content, last.end, now.hasEnded)
      if (next === undefined) return
      const isNamed = now.speaker !== undefined && (last.end === 0 || now.isAmongOthers === true)
      last.end = next.end
      announced.value = isNamed && next.text !== '' ? `${now.speaker}: ${next.text}` : next.text
      clearTimeout(timer)
      timer = setTimeout(() => {
        announced.value = ''
      }, saidMs)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [heard])
  return (
    <div class="visually-hidden" role="status" data-role="announcer">
      {announced.value}
    </div>
  )
}
