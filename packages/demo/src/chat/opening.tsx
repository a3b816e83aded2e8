import { Ember } from '../controls/icon.tsx'
import { LoadView } from '../load/load-view.tsx'
import { model } from '../state/model.ts'
import { draft } from '../state/page.ts'
import { words } from '../words/words.ts'

/** What an empty chat shows: the way to a model, or a way to begin. */
export function Opening() {
  if (model.value.kind !== 'ready') return <LoadView />
  const { opening } = words.value
  const take = (idea: string) => {
    draft.value = idea
    document.querySelector<HTMLTextAreaElement>('#message')?.focus()
  }
  return (
    <section class="opening" aria-label={opening.beginning}>
      <Ember />
      <h1>{opening.title}</h1>
      <p class="soft">{opening.answersHere(model.value.engine.model.name)}</p>
      <ul>
        {opening.ideas.map((idea) => (
          <li key={idea}>
            <button type="button" class="quiet" onClick={() => take(idea)}>
              {idea}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
