import { LoadView } from '../load/load-view.tsx'
import { model } from '../state/model.ts'
import { draft } from '../state/page.ts'

const ideas = [
  'What is the capital of France?',
  'Write a haiku about embers.',
  'Explain what a list is in Python, with an example.',
]

/** What an empty chat shows: the way to a model, or a way to begin. */
export function Opening() {
  if (model.value.kind !== 'ready') return <LoadView />
  const take = (idea: string) => {
    draft.value = idea
    document.querySelector<HTMLTextAreaElement>('#message')?.focus()
  }
  return (
    <section class="opening" aria-label="Beginning">
      <h1>Ask something</h1>
      <p class="soft">{`${model.value.engine.model.name} answers here, on this device. Small models are quick and often wrong: check what matters.`}</p>
      <ul>
        {ideas.map((idea) => (
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
