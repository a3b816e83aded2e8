import { useSignal } from '@preact/signals'
import { Bar } from '../controls/bar.tsx'
import { formatBytes, formatCount } from '../format/units.ts'
import { OnnxProgress } from './onnx-progress.tsx'
import type { RankedEntry } from './ranking.ts'
import {
  embedder,
  entries,
  isKept,
  query,
  rank,
  ranking,
  rankSoon,
  search,
  stopSearch,
  text,
  unit,
} from './search-state.ts'
import { formatTaken } from './tensor-text.ts'

const example = `The Eiffel Tower stands in Paris, where the French government sits.
Bread rises because yeast turns sugar into carbon dioxide.
The Moon pulls on the oceans and makes the tides.
Honey bees dance to tell one another where flowers are.
Mount Fuji is the highest mountain of Japan.
Glass is made by melting sand with soda and lime.`

/** Ranks what the person pasted by how near in meaning it is to a question. */
export function SearchView() {
  return (
    <section class="onnx-section" aria-labelledby="onnx-search">
      <h2 id="onnx-search">Search by meaning</h2>
      <Text />
      <search>
        <form
          class="onnx-query"
          onSubmit={(event) => {
            event.preventDefault()
            void rank()
          }}
        >
          <input
            id="query"
            class="field"
            type="search"
            enterkeyhint="search"
            autocomplete="off"
            aria-label="What to look for"
            placeholder="What to look for"
            value={query.value}
            onInput={(event) => {
              query.value = event.currentTarget.value
              rankSoon()
            }}
          />
          {(search.value.kind === 'ready' || isKept.value) && search.value.kind !== 'loading' && (
            <button
              type="submit"
              class="button"
              disabled={query.value.trim() === '' || entries.value.length === 0}
            >
              Search
            </button>
          )}
        </form>
      </search>
      <State />
      <Ranked />
    </section>
  )
}

function Text() {
  const count = entries.value.length
  return (
    <div class="onnx-text">
      <textarea
        class="field"
        rows={7}
        aria-label="Text to search"
        placeholder="Paste a text here"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value
          rankSoon()
        }}
      />
      <div class="onnx-row">
        <label class="onnx-unit small">
          <span class="soft">Search its</span>
          <select
            class="field"
            value={unit.value}
            onChange={(event) => {
              unit.value = event.currentTarget.value === 'paragraph' ? 'paragraph' : 'line'
              rankSoon()
            }}
          >
            <option value="line">lines</option>
            <option value="paragraph">paragraphs</option>
          </select>
          <span class="soft figures">
            {count > 0 && `${formatCount(count)} ${unit.value}${count === 1 ? '' : 's'}`}
          </span>
        </label>
        {text.value === '' && (
          <button
            type="button"
            class="word"
            onClick={() => {
              text.value = example
              rankSoon()
            }}
          >
            Use an example
          </button>
        )}
      </div>
    </div>
  )
}

function State() {
  const state = search.value
  switch (state.kind) {
    case 'absent':
      return isKept.value ? null : (
        <div class="onnx-acts">
          <button type="button" class="button" onClick={() => void rank()}>
            Load search model
          </button>
          <p class="small soft onnx-offer">
            {`${embedder.name} (${formatBytes(embedder.sizeBytes)}) is fetched once, kept here, and runs in this page. Nothing you paste leaves the device.`}
          </p>
        </div>
      )
    case 'loading':
      return <OnnxProgress name={embedder.name} progress={state.progress} onCancel={stopSearch} />
    case 'reading': {
      const words = `Reading ${formatCount(state.numDone)} of ${formatCount(state.numEntries)}`
      return (
        <div class="onnx-progress figures">
          <Bar label="Reading the text" value={state.numDone} max={state.numEntries} text={words} />
          <div class="onnx-row">
            <span class="small soft">{words}</span>
            <button type="button" class="quiet" onClick={stopSearch}>
              Stop
            </button>
          </div>
        </div>
      )
    }
    case 'failed':
      return (
        <div class="onnx-acts" role="alert" data-code={state.code}>
          <p class="onnx-wrong">{state.message}</p>
          <button type="button" class="quiet" onClick={() => void rank()}>
            Try again
          </button>
        </div>
      )
    case 'ready':
      return ranking.value === undefined ? (
        <p class="small soft" role="status">
          {entries.value.length === 0
            ? 'Ready. Paste a text, then type what to look for.'
            : 'Ready. Type what to look for.'}
        </p>
      ) : null
  }
}

const firstShown = 20

function Ranked() {
  const showsAll = useSignal(false)
  if (ranking.value === undefined) return null
  const { query, ranked, ms } = ranking.value
  const shown = showsAll.value ? ranked : ranked.slice(0, firstShown)
  return (
    <>
      <p class="small soft figures" role="status">
        {`Nearest to “${query}” of ${formatCount(ranked.length)}${ms === undefined ? '' : `, in ${formatTaken(ms)}`}`}
      </p>
      <ol class="onnx-ranked" aria-label="Results">
        {shown.map((entry) => (
          <Entry key={entry.index} entry={entry} />
        ))}
      </ol>
      {shown.length < ranked.length && (
        <button type="button" class="quiet" onClick={() => (showsAll.value = true)}>
          {`Show all ${formatCount(ranked.length)}`}
        </button>
      )}
    </>
  )
}

/** A score below 0 has no bar: there is nothing in common either way. */
function Entry({ entry: { text, score } }: { readonly entry: RankedEntry }) {
  return (
    <li>
      <span>{text}</span>
      <span class="onnx-score figures">
        <i aria-hidden="true">
          <b style={{ width: `${100 * Math.max(0, score)}%` }} />
        </i>
        <span>
          <span class="visually-hidden">Score </span>
          {score.toFixed(2)}
        </span>
      </span>
    </li>
  )
}
