import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

/** Messages that fill any screen, and those that are drawn in one go after them: a long chat opens at once. */
const [firstDrawn, nextDrawn] = [30, 20]

/**
 * The index of the first message to draw. A long chat is drawn from its end, and the rest soon after, bit by bit, while what is
 * in sight stays where it is.
 * @param drawsAll a message is looked for, and may be anywhere
 */
export function useDrawnFrom(
  scroller: { readonly current: HTMLElement | null },
  chatId: string,
  numMessages: number,
  drawsAll: boolean,
): number {
  const [drawn, setDrawn] = useState({ chatId: '', from: 0 })
  const fromEnd = useRef<number | undefined>(undefined)
  const from = drawsAll ? 0 : drawn.chatId === chatId ? drawn.from : Math.max(0, numMessages - firstDrawn)
  useEffect(() => {
    if (from === 0) {
      setDrawn({ chatId, from })
      return
    }
    const timer = setTimeout(() => {
      const { scrollHeight, scrollTop } = scroller.current!
      fromEnd.current = scrollHeight - scrollTop
      setDrawn({ chatId, from: Math.max(0, from - nextDrawn) })
    })
    return () => clearTimeout(timer)
  }, [chatId, from])
  useLayoutEffect(() => {
    if (fromEnd.current === undefined) return
    scroller.current!.scrollTop = scroller.current!.scrollHeight - fromEnd.current
    fromEnd.current = undefined
  }, [from])
  return from
}
