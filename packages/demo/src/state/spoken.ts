import type { ToolRound, ToolUse } from './answer-parts.ts'
import type { Answer } from './conversation.ts'

type Spoken = Pick<Answer, 'content' | 'thought' | 'thoughtMs' | 'rounds'>

/** Gathers an answer's parts and hands them on once a frame: tokens come faster than screens are drawn. */
export function gatherSpoken(show: (spoken: Spoken & { readonly state: 'streaming' }) => void) {
  let thought = ''
  let content = ''
  let thoughtStart = 0
  let thoughtMs: number | undefined
  let rounds: readonly ToolRound[] = []
  /** The round whose calls are being written. */
  let open: ToolRound | undefined
  let frame: number | undefined
  const allRounds = () => (open === undefined ? rounds : [...rounds, open])
  const spoken = (): Spoken => ({
    content,
    ...(thought !== '' && { thought }),
    ...(thoughtMs !== undefined && { thoughtMs }),
    ...(allRounds().length > 0 && { rounds: allRounds() }),
  })
  const endThought = () => {
    if (thought !== '') thoughtMs ??= performance.now() - thoughtStart
  }
  const showSoon = () => {
    frame ??= requestAnimationFrame(() => {
      frame = undefined
      show({ ...spoken(), state: 'streaming' })
    })
  }
  return {
    add(thoughtPart: string, contentPart: string) {
      if (thoughtPart === '' && contentPart === '') return
      if (thought === '') thoughtStart = performance.now()
      thought += thoughtPart
      content += contentPart
      if (contentPart !== '') endThought()
      showSoon()
    },
    /** The calls of this round as far as they are known; the words before them belong to the round. */
    call(calls: readonly ToolUse[]) {
      endThought()
      open = { content: open?.content ?? content, calls }
      content = ''
      showSoon()
    },
    endRound() {
      rounds = allRounds()
      open = undefined
    },
    rounds: (): readonly ToolRound[] => rounds,
    finish(): Spoken {
      if (frame !== undefined) cancelAnimationFrame(frame)
      endThought()
      return spoken()
    },
  }
}
