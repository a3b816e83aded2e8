import { useSignal } from '@preact/signals'
import { referenceName } from '../state/model.ts'
import { InputForm } from './input-form.tsx'
import { OnnxProgress } from './onnx-progress.tsx'
import { Outputs } from './outputs.tsx'
import { closeModel, file, openModel, provider, reference } from './run-state.ts'

/** Any ONNX model: what it takes, what it gives, and a run. */
export function ModelView() {
  const state = file.value
  const name = reference.value === undefined ? '' : referenceName(reference.value)
  return (
    <section class="onnx-section" aria-labelledby="onnx-model">
      <div class="onnx-row">
        <h2 id="onnx-model">Run a model</h2>
        {state.kind === 'ready' && (
          <button type="button" class="word" onClick={closeModel}>
            Close {name}
          </button>
        )}
      </div>
      {state.kind === 'none' && (
        <>
          <p class="soft">
            Open an ONNX file to see what it takes and gives, and run it. It stays on this device.
          </p>
          <Open />
        </>
      )}
      {state.kind === 'loading' && (
        <OnnxProgress name={name} progress={state.progress} onCancel={closeModel} />
      )}
      {state.kind === 'failed' && (
        <>
          <p role="alert" data-code={state.code}>
            {state.message}
          </p>
          <Open again={() => void (reference.value !== undefined && openModel(reference.value))} />
        </>
      )}
      {state.kind === 'ready' && (
        <>
          <p class="onnx-name">
            {name} <span class="soft">{provider.value === 'webgpu' ? 'on the GPU' : 'on the CPU'}</span>
          </p>
          <InputForm inputs={state.inputs} />
          <Outputs outputs={state.outputs} />
        </>
      )}
    </section>
  )
}

/** A model is loaded for one of them. */
function ProviderChoice() {
  if (navigator.gpu === undefined) return null
  return (
    <fieldset class="onnx-providers">
      <legend class="visually-hidden">Run on</legend>
      {providers.map(({ id, name }) => (
        <label key={id}>
          <input
            type="radio"
            name="onnx-provider"
            checked={provider.value === id}
            onChange={() => {
              provider.value = id
            }}
          />
          {name}
        </label>
      ))}
    </fieldset>
  )
}

const providers = [
  { id: 'wasm', name: 'On the CPU' },
  { id: 'webgpu', name: 'On the GPU, for large models' },
] as const

/** The ways to bring a model, and after a failure the same one again. */
function Open({ again }: { readonly again?: () => void }) {
  const address = useSignal('')
  return (
    <>
      <ProviderChoice />
      <div class="onnx-acts">
        {again !== undefined && (
          <button type="button" class="button" onClick={again}>
            Try again
          </button>
        )}
        <label class={`${again === undefined ? 'button' : 'quiet'} onnx-file`}>
          Open an .onnx file
          <input
            class="visually-hidden"
            type="file"
            accept=".onnx,.data,.onnx_data,.bin"
            multiple
            onChange={(event) => {
              const files = [...(event.currentTarget.files ?? [])]
              if (files.length > 0) void openModel(files.length === 1 ? files[0]! : files)
            }}
          />
        </label>
        <span class="small soft">Or drop it anywhere, with its data files if it has some.</span>
      </div>
      <form
        class="onnx-address"
        onSubmit={(event) => {
          event.preventDefault()
          if (address.value.trim() !== '') void openModel(address.value.trim())
        }}
      >
        <input
          class="field"
          aria-label="Address of an ONNX model"
          placeholder="https://…/model.onnx"
          spellcheck={false}
          autocapitalize="off"
          value={address.value}
          onInput={(event) => {
            address.value = event.currentTarget.value
          }}
        />
        <button type="submit" class="quiet" disabled={address.value.trim() === ''}>
          Load
        </button>
      </form>
    </>
  )
}
