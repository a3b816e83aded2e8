import { useSignal } from '@preact/signals'
import { look, lookAt } from '../state/inspection.ts'
import { words } from '../words/words.ts'
import { FileButton } from './file-button.tsx'
import { modelsHere, modelsOnOffer } from './listed.ts'
import { ModelDetails } from './model-details.tsx'
import { take } from './use-model.ts'

/** The ways to bring a model along: a file, its parts, or an address. */
export function OwnModel() {
  const { models } = words.value
  const address = useSignal('')
  const looked = look.value
  const isListed = [...modelsHere(), ...modelsOnOffer()].some(({ id }) => id === looked?.reference)
  return (
    <section class="own" aria-label={models.own}>
      <h2>{models.own}</h2>
      <form
        class="models-address"
        onSubmit={(event) => {
          event.preventDefault()
          if (address.value.trim() !== '') void lookAt(address.value.trim())
        }}
      >
        <input
          class="field"
          aria-label={models.address}
          placeholder={models.addressPlaceholder}
          spellcheck={false}
          autocapitalize="off"
          value={address.value}
          onInput={(event) => {
            address.value = event.currentTarget.value
          }}
        />
        <button type="submit" class="quiet" disabled={address.value.trim() === ''}>
          {models.look}
        </button>
      </form>
      <p class="small soft">{models.addressHint}</p>
      {looked !== undefined && !isListed && (
        <ModelDetails
          look={looked}
          // By the name under which it will be stored, so that the page knows it again.
          onLoad={() =>
            take(
              looked.state.kind === 'seen' && typeof looked.reference === 'string'
                ? looked.state.inspection.id
                : looked.reference,
            )
          }
        />
      )}
      <div class="own-file">
        <FileButton kind="quiet" word={models.openFile} />
        <p class="small soft">{models.dropHint}</p>
      </div>
    </section>
  )
}
