import { backend, backendChoices, reviveBackend } from '../state/backend.ts'
import { runOn } from '../state/model.ts'

/** Where the model runs. A change loads it again from this device's storage. */
export function BackendSelect() {
  return (
    <label class="panel-choice">
      <span>Run on</span>
      <select
        class="field"
        value={backend.value}
        onChange={(event) => runOn(reviveBackend(event.currentTarget.value))}
      >
        {backendChoices.map(({ choice, label }) => (
          <option key={choice} value={choice}>
            {label}
          </option>
        ))}
      </select>
    </label>
  )
}
