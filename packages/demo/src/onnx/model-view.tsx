import { useSignal } from '@preact/signals'
import { Segments } from '../controls/segments.tsx'
import { referenceName } from '../state/model.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { InputForm } from './input-form.tsx'
import { OnnxProgress } from './onnx-progress.tsx'
import { Outputs } from './outputs.tsx'
import { closeModel, file, openModel, provider, reference } from './run-state.ts'

/** Any ONNX model: what it takes, what it gives, and a run. */
export function ModelView() {
  const state = file.value
  const say = words.value.onnxPage
  const name = reference.value === undefined ? '' : referenceName(reference.value)
  return (
    <section class="section" aria-labelledby="onnx-model">
      <div class="onnx-row">
        <h2 id="onnx-model">{say.runModel}</h2>
        {state.kind === 'ready' && (
          <button type="button" class="word" onClick={closeModel}>
            {say.close(name)}
          </button>
        )}
      </div>
      {state.kind === 'none' && (
        <>
          <p class="soft">{say.openOne}</p>
          <Open />
        </>
      )}
      {state.kind === 'loading' && (
        <OnnxProgress name={name} progress={state.progress} onCancel={closeModel} />
      )}
      {state.kind === 'failed' && (
        <>
          <p role="alert" data-code={state.code}>
            {engineWords(state.message)}
          </p>
          <Open again={() => void (reference.value !== undefined && openModel(reference.value))} />
        </>
      )}
      {state.kind === 'ready' && (
        <>
          <p class="onnx-name">
            {name} <span class="soft">{provider.value === 'webgpu' ? say.onGpu : say.onCpu}</span>
          </p>
          <InputForm inputs={state.inputs} />
          <Outputs outputs={state.outputs} />
        </>
      )}
    </section>
  )
}

const providers = ['wasm', 'webgpu'] as const

/** A model is loaded for one of them. */
function ProviderChoice() {
  if (navigator.gpu === undefined) return null
  const say = words.value.onnxPage
  return (
    <Segments
      label={say.runOn}
      options={providers.map((id) => ({ id, word: say.providers[id] }))}
      chosen={provider.value}
      onChoose={(id) => {
        provider.value = id
      }}
    />
  )
}

/** The ways to bring a model, and after a failure the same one again. */
function Open({ again }: { readonly again?: () => void }) {
  const address = useSignal('')
  const say = words.value.onnxPage
  return (
    <>
      <ProviderChoice />
      <div class="onnx-acts">
        {again !== undefined && (
          <button type="button" class="button" onClick={again}>
            {say.tryAgain}
          </button>
        )}
        <label class="quiet onnx-file">
          {say.openFile}
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
        <span class="small soft">{say.dropIt}</span>
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
          aria-label={say.modelAddress}
          placeholder="https://…/model.onnx"
          spellcheck={false}
          autocapitalize="off"
          value={address.value}
          onInput={(event) => {
            address.value = event.currentTarget.value
          }}
        />
        <button type="submit" class="quiet" disabled={address.value.trim() === ''}>
          {say.load}
        </button>
      </form>
    </>
  )
}
