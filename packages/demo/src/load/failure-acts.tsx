import { FileButton } from '../models/file-button.tsx'
import type { Act } from './failure.ts'

/** What can be done about a failure, the most helpful first. */
export function FailureActs({ acts }: { readonly acts: readonly Act[] }) {
  return (
    <>
      {acts.map((act, index) => {
        const kind = index === 0 ? 'button' : 'quiet'
        return 'opensFile' in act ? (
          <FileButton key={act.word} kind={kind} word={act.word} />
        ) : (
          <button key={act.word} type="button" class={kind} onClick={act.run}>
            {act.word}
          </button>
        )
      })}
    </>
  )
}
