import { focusWhenDrawn } from '../controls/focus.ts'
import { Icon } from '../controls/icon.tsx'
import { currentChat } from '../state/chats.ts'
import { chatTitle } from '../state/conversation.ts'
import { branchToNewChat, shownPlaces, stepBranch } from '../state/shown.ts'
import { words } from '../words/words.ts'
import './branches.css'

/** "2 of 3" of the messages in one place, and the way to the others. Nothing where there is only one. */
export function BranchSwitcher({ id }: { readonly id: string }) {
  const said = words.value.chats
  const place = shownPlaces.value.get(id)
  if (place === undefined) return null
  const step = (by: 1 | -1) => {
    const next = stepBranch(id, by)
    // The other message brings its own switcher: the keyboard stays on the same button of it.
    if (next !== undefined) focusWhenDrawn(`[data-branches="${CSS.escape(next)}"] [data-step="${by}"]`)
  }
  return (
    <span class="branches figures" data-branches={id}>
      <button
        type="button"
        class="branch-step"
        aria-label={said.previousVersion}
        aria-disabled={place.place === 1}
        data-step="-1"
        onClick={() => step(-1)}
      >
        <Icon name="left" />
      </button>
      <span>{said.placeOf(place.place, place.of)}</span>
      <button
        type="button"
        class="branch-step"
        aria-label={said.nextVersion}
        aria-disabled={place.place === place.of}
        data-step="1"
        onClick={() => step(1)}
      >
        <Icon name="right" />
      </button>
    </span>
  )
}

/** Goes on from an answer in a chat of its own; the one it came from stays as it is. */
export function BranchButton({ id }: { readonly id: string }) {
  const said = words.value.chats
  return (
    <button
      type="button"
      class="icon-button icon-small"
      aria-label={said.branch}
      title={said.branchHint}
      onClick={() => branchToNewChat(id, said.branchOf(chatTitle(currentChat.value)))}
    >
      <Icon name="branch" />
    </button>
  )
}
