import { backend, backendChoices, reviveBackend } from '../state/backend.ts'
import { runOn } from '../state/model.ts'
import { words } from '../words/words.ts'

/** Where the model runs. A change loads it again from this device's storage. */
export function BackendSelect() {
  return (
    <label>
      <span class="visually-hidden">{words.value.device.runOn}</span>
      <select
        class="field"
        value={backend.value}
        onChange={(event) => runOn(reviveBackend(event.currentTarget.value))}
      >
        {backendChoices.map(({ choice }) => (
          <option key={choice} value={choice}>
            {words.value.device.choices[choice]}
          </option>
        ))}
      </select>
    </label>
  )
}
