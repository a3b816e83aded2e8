import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { CopyButton } from '../controls/copy.tsx'
import { Segments } from '../controls/segments.tsx'
import { Empty } from '../controls/states.tsx'
import { formatBytes } from '../format/units.ts'
import { currentId, modelsHere } from '../models/listed.ts'
import {
  asked,
  choosePane,
  compare,
  comparePrompt,
  isComparing,
  leaveComparison,
  order,
  type Pane,
  panes,
  sides,
  stopComparing,
  swapPanes,
} from '../state/comparison.ts'
import { deviceMemoryBytes } from '../state/device-storage.ts'
import { factsOf } from '../state/inspection.ts'
import { memory, model, putModelAway, refreshStored } from '../state/model.ts'
import { facts } from '../state/model-facts.ts'
import { showView } from '../state/page.ts'
import { words } from '../words/words.ts'
import { comparisonText } from './comparison-text.ts'
import { isTooMuch, memoryNeed } from './memory-need.ts'
import { PaneView } from './pane-view.tsx'
import './compare.css'

const usable = () => modelsHere().filter(({ isOnnx, stored }) => !isOnnx && stored?.isComplete)
/** Whether what is stored has been asked for since the page was opened. */
const isListed = signal(false)

/** Two models, or one on two backends, side by side on the same prompt. */
export function ComparisonView() {
  useEffect(() => {
    void refreshStored().then(() => {
      isListed.value = true
    })
    return () => void leaveComparison()
  }, [])
  const ids = usable().map(({ id }) => id)
  useEffect(() => fillPanes(ids), [ids.join()])
  const { compare: said } = words.value
  return (
    <div class="page">
      <div class="page-column compare">
        <header class="page-head">
          <h1>{said.title}</h1>
          <p>{said.lead}</p>
        </header>
        {ids.length === 0 ? (
          isListed.value && (
            <Empty
              icon="compare"
              title={said.noModel}
              acts={
                <button type="button" class="button" onClick={() => showView('models')}>
                  {said.toModels}
                </button>
              }
            >
              {said.noModelHint}
            </Empty>
          )
        ) : (
          <>
            <PromptForm />
            <div class="panes">
              {sides.map((side) => (
                <PaneView key={side} side={side} />
              ))}
            </div>
            {sides.every((side) => isBlank(panes.value[side])) && (
              <Empty icon="compare" title={said.empty}>
                {said.emptyHint}
              </Empty>
            )}
          </>
        )}
      </div>
    </div>
  )
}

/** Nothing of it is to be seen but its choices. */
const isBlank = ({ answer, state }: Pane) =>
  answer === undefined && state.kind !== 'loading' && state.kind !== 'failed'

/** The chat's model and another, or the same on the CPU. */
function fillPanes(ids: readonly string[]): void {
  const [first] = ids
  if (first === undefined) return
  const a = ids.includes(currentId()) ? currentId() : first
  const other = ids.find((id) => id !== a)
  if (!ids.includes(panes.value.a.modelId)) void choosePane('a', { modelId: a })
  if (!ids.includes(panes.value.b.modelId)) {
    void choosePane('b', other === undefined ? { modelId: a, backend: 'wasm' } : { modelId: other })
  }
}

function PromptForm() {
  const { compare: said } = words.value
  const text = comparePrompt.value
  const { words: need, isRefused } = useWeight()
  const canAsk = text.trim() !== '' && !isComparing.value && !isRefused
  const send = () => {
    if (canAsk) void compare(text)
  }
  const answers = sides.flatMap((side) => panes.value[side].answer ?? [])
  return (
    <form
      class="compare-form"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        class="field"
        rows={3}
        aria-label={said.prompt}
        placeholder={said.placeholder}
        value={text}
        onInput={(event) => {
          comparePrompt.value = event.currentTarget.value
        }}
        onKeyDown={(event) => {
          // An input method's Enter picks a word.
          if (event.isComposing || event.key !== 'Enter' || event.shiftKey) return
          event.preventDefault()
          send()
        }}
      />
      <Segments
        label={said.order}
        options={[
          { id: 'turn', word: said.inTurn },
          { id: 'once', word: said.atOnce },
        ]}
        chosen={order.value}
        isOff={isComparing.value}
        onChoose={(id) => {
          order.value = id
        }}
      />
      {order.value === 'once' && <p class="small soft">{said.atOnceHint}</p>}
      <p class="small soft figures" role="status">
        {need}
      </p>
      {isRefused && model.value.kind === 'ready' && (
        <button type="button" class="quiet" onClick={() => putModelAway()}>
          {said.freeChat}
        </button>
      )}
      <div class="compare-acts">
        {isComparing.value ? (
          <button key="stop" type="button" class="button" onClick={stopComparing}>
            {said.stop}
          </button>
        ) : (
          <button key="ask" type="submit" class="button" disabled={!canAsk}>
            {said.ask}
          </button>
        )}
        <button
          type="button"
          class="quiet"
          disabled={asked.value === undefined || isComparing.value || isRefused}
          onClick={() => asked.value !== undefined && compare(asked.value)}
        >
          {said.again}
        </button>
        <button type="button" class="quiet" disabled={isComparing.value} onClick={swapPanes}>
          {said.swap}
        </button>
        {asked.value !== undefined && answers.length > 0 && !isComparing.value && (
          <CopyButton text={() => comparisonText(asked.value ?? '', answers)} label={said.copy} />
        )}
      </div>
    </form>
  )
}

/** What both take, and whether this device has it. */
function useWeight(): { words: string; isRefused: boolean } {
  const { compare: said } = words.value
  const both = sides.map((side) => panes.value[side])
  const known = both.map(({ modelId }) => facts.value[modelId])
  useEffect(() => {
    const controller = new AbortController()
    for (const { modelId } of both)
      if (modelId !== '') factsOf(modelId, controller.signal).catch(() => undefined)
    return () => controller.abort()
  }, [both.map(({ modelId }) => modelId).join()])
  if (known.some((each) => each === undefined)) return { words: said.weighing, isRefused: false }
  const bothBytes = both.reduce((sum, { backend }, index) => sum + memoryNeed(known[index]!, backend), 0)
  const held = model.value.kind === 'ready' ? memory.value : undefined
  const chatBytes = held === undefined ? 0 : held.weightBytes + held.kvCacheBytes + held.otherBytes
  const limit = deviceMemoryBytes()
  if (limit !== undefined && isTooMuch(bothBytes + chatBytes, limit)) {
    const chat = chatBytes > 0 ? ` ${said.withChat(formatBytes(chatBytes))}` : ''
    return { words: said.tooMuch(formatBytes(bothBytes), formatBytes(limit)) + chat, isRefused: true }
  }
  const chat = chatBytes > 0 ? ` ${said.withChat(formatBytes(chatBytes))}` : ''
  return { words: said.willTake(formatBytes(bothBytes)) + chat, isRefused: false }
}
