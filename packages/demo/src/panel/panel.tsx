import type { Engine } from '@brasa/runtime'
import { Bar } from '../controls/bar.tsx'
import { backendNames } from '../format/backend-names.ts'
import { formatBytes, formatCount, formatSpeed } from '../format/units.ts'
import { speeds } from '../state/answering.ts'
import { currentChat } from '../state/chats.ts'
import { contextTokens } from '../state/conversation.ts'
import { memory, model, warnings } from '../state/model.ts'
import { BackendSelect } from './backend-select.tsx'
import { SettingsForm } from './settings-form.tsx'
import { SparkLine } from './spark-line.tsx'
import './panel.css'

type Linears = NonNullable<Engine['device']['linears']>

/** Everything about the machine, and the settings. */
export function Panel() {
  return (
    <div class="panel">
      <RunningOn />
      <Context />
      <Speeds />
      <SettingsForm />
    </div>
  )
}

function RunningOn() {
  if (model.value.kind !== 'ready') {
    return (
      <section aria-label="Running on">
        <h3>Running on</h3>
        <BackendSelect />
        <p class="soft panel-why">No model is loaded.</p>
      </section>
    )
  }
  const { device } = model.value.engine
  const held = memory.value
  return (
    <section aria-label="Running on">
      <h3>Running on</h3>
      <BackendSelect />
      <dl class="figures">
        <dt>Backend</dt>
        <dd>{backendNames[device.backend]}</dd>
        <dt>Adapter</dt>
        <dd>{device.adapter}</dd>
        {device.linears !== undefined && (
          <>
            <dt>Linear layers</dt>
            <dd>{linearsInWords(device.linears)}</dd>
          </>
        )}
        {held !== undefined && (
          <>
            <dt>Weights</dt>
            <dd>{formatBytes(held.weightBytes)}</dd>
            <dt>KV cache</dt>
            <dd>{formatBytes(held.kvCacheBytes)}</dd>
            <dt>Working memory</dt>
            <dd>{formatBytes(held.otherBytes)}</dd>
          </>
        )}
      </dl>
      <p class="soft panel-why">{device.reason}</p>
      {warnings.value
        .filter(({ code }) => code === 'persist_denied')
        .map(({ code, message }) => (
          <p key={code} class="soft panel-why">
            {message}
          </p>
        ))}
    </section>
  )
}

/** Such as "int8, 98 MB, 0.36 % off". */
function linearsInWords({ format, weightBytes, relativeError }: Linears): string {
  const off = relativeError === 0 ? [] : [`${(100 * relativeError).toPrecision(2)} % off`]
  return [format, formatBytes(weightBytes), ...off].join(', ')
}

function Context() {
  if (model.value.kind !== 'ready') return null
  const holds = model.value.engine.model.contextLength
  const used = contextTokens(currentChat.value)
  const words = `${formatCount(used)} of ${formatCount(holds)} tokens`
  return (
    <section aria-label="Context">
      <h3>Context</h3>
      <Bar label="Context used" value={used} max={holds} text={words} />
      <dl class="figures">
        <dt>Used</dt>
        <dd>{words}</dd>
      </dl>
    </section>
  )
}

function Speeds() {
  const measured = speeds.value
  const last = measured.at(-1)
  if (last === undefined) return null
  return (
    <section aria-label="Tokens a second">
      <h3>Tokens a second</h3>
      {measured.length > 1 && <SparkLine values={measured} />}
      <dl class="figures">
        <dt>Last answer</dt>
        <dd>{formatSpeed(last)}</dd>
        {measured.length > 1 && (
          <>
            <dt>{`Best of ${measured.length}`}</dt>
            <dd>{formatSpeed(Math.max(...measured))}</dd>
          </>
        )}
      </dl>
    </section>
  )
}
