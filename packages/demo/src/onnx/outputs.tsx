import type { Tensor, ValueInfo } from '@brasa/runtime'
import { formatCount } from '../format/units.ts'
import { ValueName } from './input-form.tsx'
import { run } from './run-state.ts'
import { describeTensor, formatTaken } from './tensor-text.ts'

/** What the model gives: as it says before a run, as it came after one. */
export function Outputs({ outputs }: { readonly outputs: readonly ValueInfo[] }) {
  const state = run.value
  return (
    <div>
      <div class="onnx-row">
        <h3>Outputs</h3>
        {state.kind === 'done' && (
          <p class="small soft figures" role="status">{`Took ${formatTaken(state.ms)}`}</p>
        )}
      </div>
      <ul class="onnx-values onnx-results" aria-label="Outputs">
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
  return (
    <li>
      <ValueName name={name} type={tensor.type} dims={tensor.dims} />
      <p class="onnx-numbers figures">
        {first === '' ? 'No values' : first}
        {rest > 0 && <span class="soft">{` … ${formatCount(rest)} more`}</span>}
      </p>
      {range !== undefined && (
        <p class="small soft figures">{`From ${range.min} to ${range.max}, mean ${range.mean}`}</p>
      )}
    </li>
  )
}
