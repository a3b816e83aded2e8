import { type ReadonlySignal, useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** How near to the end counts as reading along again, in pixels. */
const nearEnd = 64
/** Fractions of a pixel are lost on the way. */
const atEnd = 2
/** An answer's last change is drawn within this time. */
const settleMs = 250

interface Ref<T> {
  readonly current: T | null
}

/**
 * Keeps the end of a growing column in sight, until the reader scrolls up: any step up lets go, and coming back near to the
 * end follows again.
 * @param isGrowing an answer is being written; what a reader opens in a chat at rest opens in its place
 * @param occasion where it changes, the end is followed anew: another chat, or another question
 */
export function useFollowing(
  scroller: Ref<HTMLElement>,
  column: Ref<HTMLElement>,
  isGrowing: boolean,
  occasion: string,
): { readonly follows: ReadonlySignal<boolean>; readonly onScroll: () => void; readonly toEnd: () => void } {
  const follows = useSignal(true)
  const lastTop = useRef(0)

  const toEnd = () => {
    const element = scroller.current!
    element.scrollTop = element.scrollHeight
    lastTop.current = element.scrollTop
    follows.value = true
  }
  const onScroll = () => {
    const { scrollHeight, scrollTop, clientHeight } = scroller.current!
    const distance = scrollHeight - scrollTop - clientHeight
    // Content that became shorter moves up too, and is then at its end.
    if (scrollTop < lastTop.current) follows.value = distance <= atEnd
    else if (scrollTop > lastTop.current && distance < nearEnd) follows.value = true
    lastTop.current = scrollTop
  }
  const grows = useRef(isGrowing)
  useLayoutEffect(() => {
    if (isGrowing) {
      grows.current = true
      return
    }
    const timer = setTimeout(() => {
      grows.current = false
    }, settleMs)
    return () => clearTimeout(timer)
  }, [isGrowing])
  useLayoutEffect(toEnd, [occasion])
  useLayoutEffect(() => {
    const sizes = new ResizeObserver((entries) => {
      const isFrame = entries.some(({ target }) => target === scroller.current)
      if (follows.peek() && (isFrame || grows.current)) toEnd()
      else onScroll()
    })
    sizes.observe(scroller.current!)
    sizes.observe(column.current!)
    return () => sizes.disconnect()
  }, [])
  return { follows, onScroll, toEnd }
}
