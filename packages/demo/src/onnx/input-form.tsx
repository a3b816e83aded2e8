import type { ValueInfo } from '@brasa/runtime'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { type Fill, fillsOf, type InputChoice, initialChoice, randomRange } from './feeds.ts'
import { choices, run, runModel, sizes, stopRun } from './run-state.ts'
import { formatShape, freeDimensions } from './shapes.ts'

/** What goes into the model: how each input is filled, and the sizes that the model leaves open. */
export function InputForm({ inputs }: { readonly inputs: readonly ValueInfo[] }) {
  const open = freeDimensions(inputs)
  const say = words.value.onnxPage
  return (
    <form
      class="onnx-form"
      aria-label={say.inputs}
      onSubmit={(event) => {
        event.preventDefault()
        void runModel()
      }}
    >
      <h3>{say.inputs}</h3>
      <ul class="onnx-values">
        {inputs.map((info) => (
          <Input key={info.name} info={info} />
        ))}
      </ul>
      {open.length > 0 && (
        <fieldset class="onnx-sizes">
          <legend>{say.openSizes}</legend>
          {open.map(({ key }) => (
            <label key={key} class="onnx-size">
              <span>{key}</span>
              <input
                class="field figures"
                inputMode="numeric"
                autocomplete="off"
                aria-invalid={!/^\s*\d{1,9}\s*$/.test(sizes.value[key] ?? '')}
                value={sizes.value[key] ?? ''}
                onInput={(event) => {
                  sizes.value = { ...sizes.value, [key]: event.currentTarget.value }
                }}
              />
            </label>
          ))}
        </fieldset>
      )}
      <div class="onnx-acts">
        {run.value.kind === 'running' ? (
          <button key="stop" type="button" class="button" onClick={stopRun}>
            {say.stop}
          </button>
        ) : (
          <button key="run" type="submit" class="button">
            {say.run}
          </button>
        )}
        <RunWords />
      </div>
    </form>
  )
}

function RunWords() {
  const state = run.value
  const say = words.value.onnxPage
  if (state.kind === 'failed') {
    return (
      <p class="onnx-wrong" role="alert" data-code={state.code}>
        {engineWords(state.message)}
      </p>
    )
  }
  return (
    <p class="small soft" role="status">
      {state.kind === 'running' && say.running}
      {state.kind === 'stopped' && say.stopped}
    </p>
  )
}

function Input({ info }: { readonly info: ValueInfo }) {
  const { name, type, dims } = info
  const choice = choices.value[name] ?? initialChoice(info)
  const change = (next: Partial<InputChoice>) => {
    choices.value = { ...choices.value, [name]: { ...choice, ...next } }
  }
  const fills = fillsOf(type)
  const say = words.value.onnxPage
  return (
    <li>
      <div class="onnx-value">
        <ValueName name={name} type={type} dims={dims} />
        <select
          class="field"
          aria-label={say.fillWith(name)}
          value={choice.fill}
          disabled={fills.length === 1}
          onChange={(event) => change({ fill: event.currentTarget.value as Fill })}
        >
          {fills.map((fill) => (
            <option key={fill} value={fill}>
              {fill === 'random' ? say.random[randomRange(type)] : say.fills[fill]}
            </option>
          ))}
        </select>
      </div>
      {choice.fill === 'typed' && (
        <textarea
          class="field onnx-typed"
          rows={2}
          spellcheck={false}
          aria-label={say.valuesOf(name)}
          placeholder={type === 'string' ? say.typeTexts : say.typeNumbers}
          value={choice.typed}
          onInput={(event) => change({ typed: event.currentTarget.value })}
        />
      )}
    </li>
  )
}

export function ValueName({ name, type, dims }: Pick<ValueInfo, 'name' | 'type' | 'dims'>) {
  return (
    <span class="onnx-signature">
      <code>{name}</code>
      <span class="small soft figures">{`${type} ${formatShape(dims)}`}</span>
    </span>
  )
}
