import type { Tensor, ValueInfo } from '@brasa/runtime'
import { formatCount } from '../format/units.ts'
import { words } from '../words/words.ts'
import { ValueName } from './input-form.tsx'
import { run } from './run-state.ts'
import { describeTensor, formatTaken } from './tensor-text.ts'

/** What the model gives: as it says before a run, as it came after one. */
export function Outputs({ outputs }: { readonly outputs: readonly ValueInfo[] }) {
  const state = run.value
  const say = words.value.onnxPage
  return (
    <div>
      <div class="onnx-row">
        <h3>{say.outputs}</h3>
        {state.kind === 'done' && (
          <p class="small soft figures" role="status">
            {say.took(formatTaken(state.ms))}
          </p>
        )}
      </div>
      <ul class="onnx-values onnx-results" aria-label={say.outputs}>
        {state.kind === 'done'
          ? state.outputs.map(([name, tensor]) => <Result key={name} name={name} tensor={tensor} />)
          : outputs.map(({ name, type, dims }) => (
              <li key={name}>
                <ValueName name={name} type={type} dims={dims} />
              </li>
            ))}
      </ul>
    </div>
  )
}

function Result({ name, tensor }: { readonly name: string; readonly tensor: Tensor }) {
  const { first, rest, range } = describeTensor(tensor)
  const say = words.value.onnxPage
  return (
    <li>
      <ValueName name={name} type={tensor.type} dims={tensor.dims} />
      <p class="onnx-numbers figures">
        {first === '' ? say.noValues : first}
        {rest > 0 && <span class="soft">{` … ${say.more(formatCount(rest))}`}</span>}
      </p>
      {range !== undefined && <p class="small soft figures">{say.range(range.min, range.max, range.mean)}</p>}
    </li>
  )
}
