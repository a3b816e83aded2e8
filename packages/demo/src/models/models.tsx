import type { ModelReference } from '@brasa/runtime'
import { useSignal } from '@preact/signals'
import { formatBytes, formatCount } from '../format/units.ts'
import { openOnnxModel } from '../onnx/onnx-tab.tsx'
import { look, lookAt, lookAway } from '../state/inspection.ts'
import {
  catalogue,
  describeFailure,
  loadModel,
  model,
  reference,
  referenceName,
  removeModel,
  storedModels,
} from '../state/model.ts'
import { sheet, showView } from '../state/page.ts'
import { ModelDetails } from './model-details.tsx'
import './models.css'

/** The models on this device, those on offer, and the ways to bring one along. */
export function Models() {
  return (
    <div class="models">
      <Stored />
      <Offered />
      <Own />
    </div>
  )
}

function use(wanted: ModelReference): void {
  lookAway()
  sheet.value = undefined
  showView('chat')
  void loadModel(wanted)
}

/** A stored id tells by its ending, or by being a name that the catalogue of chat models does not have. */
function isOnnx(id: string): boolean {
  if (/[:/]/.test(id)) return /\.onnx$/i.test(id)
  return catalogue.value.length > 0 && !catalogue.value.some((entry) => entry.id === id)
}

function openOnnx(id: string): void {
  sheet.value = undefined
  void openOnnxModel(id)
}

function inUse(id: string): boolean {
  return reference.value === id && (model.value.kind === 'ready' || model.value.kind === 'loading')
}

function Stored() {
  const failure = useSignal<string | undefined>(undefined)
  const remove = async (id: string) => {
    try {
      await removeModel(id)
      failure.value = undefined
    } catch (error) {
      failure.value = describeFailure(error).message
    }
  }
  return (
    <section aria-label="On this device">
      <h3>On this device</h3>
      {storedModels.value.length === 0 && <p class="soft">None yet.</p>}
      <ul>
        {storedModels.value.map(({ id, sizeBytes, isComplete }) => (
          <li key={id}>
            <span class="models-name">{referenceName(id)}</span>
            <span class="soft figures">
              {isComplete ? formatBytes(sizeBytes) : `Unfinished, ${formatBytes(sizeBytes)}`}
            </span>
            {inUse(id) ? (
              <span class="models-note soft">In use</span>
            ) : (
              <button
                type="button"
                class="quiet"
                onClick={() => (isOnnx(id) ? openOnnx(id) : use(id))}
                aria-label={`${isComplete ? 'Use' : 'Go on loading'} ${referenceName(id)}`}
              >
                {isComplete ? 'Use' : 'Go on'}
              </button>
            )}
            <button
              type="button"
              class="quiet"
              aria-label={`Remove ${referenceName(id)}`}
              onClick={() => remove(id)}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
      {failure.value !== undefined && <p role="alert">{failure.value}</p>}
    </section>
  )
}

function Offered() {
  const stored = new Set(storedModels.value.map(({ id }) => id))
  const offered = catalogue.value.filter(({ id }) => !stored.has(id))
  if (offered.length === 0) return null
  return (
    <section aria-label="Catalogue">
      <h3>Catalogue</h3>
      <ul>
        {offered.map((entry) => (
          <li key={entry.id}>
            <span class="models-name">
              {entry.name}
              <span class="soft small">{`${entry.licence} · ${formatCount(entry.contextLength)} tokens of context`}</span>
            </span>
            <span class="soft figures">{formatBytes(entry.sizeBytes)}</span>
            {inUse(entry.id) ? (
              <span class="models-note soft">In use</span>
            ) : (
              <button
                type="button"
                class="quiet"
                aria-label={`About ${entry.name}`}
                aria-expanded={look.value?.reference === entry.id}
                onClick={() => lookAt(entry.id, entry.terms)}
              >
                About
              </button>
            )}
            {look.value?.reference === entry.id && (
              <ModelDetails look={look.value} onLoad={() => use(entry.id)} />
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Own() {
  const address = useSignal('')
  const isOwn = look.value !== undefined && !catalogue.value.some(({ id }) => id === look.value?.reference)
  return (
    <section aria-label="Your own">
      <h3>Your own</h3>
      <label class="quiet models-file">
        Open a .gguf file
        <input
          class="visually-hidden"
          type="file"
          accept=".gguf"
          multiple
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])].sort((a, b) => a.name.localeCompare(b.name))
            if (files.length > 0) use(files.length === 1 ? files[0]! : files)
          }}
        />
      </label>
      <p class="soft">Or drop it anywhere on the page. All parts at once if it is split.</p>
      <form
        class="models-address"
        onSubmit={(event) => {
          event.preventDefault()
          if (address.value.trim() !== '') void lookAt(address.value.trim())
        }}
      >
        <input
          class="field"
          aria-label="Address of a model"
          placeholder="https://…/model.gguf or hf:owner/repo/file.gguf"
          spellcheck={false}
          value={address.value}
          onInput={(event) => {
            address.value = event.currentTarget.value
          }}
        />
        <button type="submit" class="quiet" disabled={address.value.trim() === ''}>
          Look
        </button>
      </form>
      {isOwn && <ModelDetails look={look.value!} onLoad={() => use(look.value!.reference)} />}
    </section>
  )
}
