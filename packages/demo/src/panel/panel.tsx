import { Bar } from '../controls/bar.tsx'
import { backendNames } from '../format/backend-names.ts'
import { formatBytes, formatCount, formatRate } from '../format/units.ts'
import { speeds } from '../state/answering.ts'
import { backend } from '../state/backend.ts'
import { currentChat } from '../state/chats.ts'
import { contextTokens } from '../state/conversation.ts'
import { model } from '../state/model.ts'
import type { Words } from '../words/en.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { BackendSelect } from './backend-select.tsx'
import { DeviceSection } from './device-section.tsx'
import { facts } from './device-state.ts'
import { buildRows, type Facts, type Row, timedRows, timedVariants } from './facts.ts'
import { FigureBars } from './figure-bars.tsx'
import { KeepLine } from './keep-line.tsx'
import { Rows } from './rows.tsx'
import { SettingsForm } from './settings-form.tsx'
import { SparkLine } from './spark-line.tsx'
import './panel.css'

/** Everything about the machine, and the settings. */
export function Panel() {
  return (
    <div class="panel">
      <RunningOn />
      <Context />
      <Speeds />
      <SettingsForm />
      <DeviceSection />
      <KeepLine />
    </div>
  )
}

function RunningOn() {
  const say = words.value.device
  const { device, numCores } = facts.value
  return (
    <section aria-label={say.runningOn}>
      <h3>{say.runningOn}</h3>
      <BackendSelect />
      {device === undefined ? (
        <p class="soft panel-why">{say.noModel}</p>
      ) : (
        <>
          <p class="panel-runs">{say.runs(backendNames[device.backend], engineWords(device.adapter))}</p>
          {/* What was chosen just above needs no reason. */}
          {backend.value !== device.backend && <p class="soft panel-why">{engineWords(device.reason)}</p>}
          {device.layerTimes !== undefined && <FigureBars timed={timedRows(device)} label={say.oneLayer} />}
          <Rows
            rows={[
              ...threadRow(device.threads, numCores),
              ...buildRows(facts.value, say),
              ...heldRow(facts.value, say),
            ]}
          />
          {timedVariants(device).length > 1 && (
            <>
              <FigureBars timed={timedVariants(device)} label={say.variants} />
              {device.decode !== undefined && (
                <p class="soft panel-why">{engineWords(device.decode.reason)}</p>
              )}
            </>
          )}
        </>
      )}
    </section>
  )
}

/** Only where some are left idle: else the line above has said it. */
function threadRow(threads: number | undefined, numCores: number): readonly Row[] {
  const say = words.value.device
  return threads === undefined || threads === numCores
    ? []
    : [[say.threads, say.threadsOf(threads, numCores)]]
}

/** All that the model holds, in one figure: its parts are below. */
function heldRow({ memory }: Facts, say: Words['device']): readonly Row[] {
  if (memory === undefined) return []
  return [[say.memoryNow, formatBytes(memory.weightBytes + memory.kvCacheBytes + memory.otherBytes)]]
}

function Context() {
  if (model.value.kind !== 'ready') return null
  const say = words.value.device
  const holds = model.value.engine.model.contextLength
  const used = contextTokens(currentChat.value)
  const text = say.tokensOf(formatCount(used), formatCount(holds))
  return (
    <section aria-label={say.context}>
      <h3>{say.context}</h3>
      <Bar label={say.contextUsed} value={used} max={holds} text={text} />
      <Rows rows={[[say.used, text]]} />
    </section>
  )
}

/** Of fewer answers a line says nothing that their figures do not. */
const leastForLine = 5

function Speeds() {
  const measured = speeds.value
  const last = measured.at(-1)
  if (last === undefined) return null
  const say = words.value.device
  const best: readonly Row[] =
    measured.length > 1 ? [[say.bestOf(measured.length), formatRate(Math.max(...measured))]] : []
  return (
    <section aria-label={say.speed}>
      <h3>{say.speed}</h3>
      {measured.length >= leastForLine && <SparkLine values={measured} />}
      <Rows rows={[[say.lastAnswer, formatRate(last)], ...best]} />
    </section>
  )
}
