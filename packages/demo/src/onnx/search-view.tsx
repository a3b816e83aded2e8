import { useSignal } from '@preact/signals'
import { Bar } from '../controls/bar.tsx'
import { formatBytes, formatCount } from '../format/units.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
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

/** In English whatever the page speaks: it is the language that the search model reads. */
const example = `The Eiffel Tower stands in Paris, where the French government sits.
Bread rises because yeast turns sugar into carbon dioxide.
The Moon pulls on the oceans and makes the tides.
Honey bees dance to tell one another where flowers are.
Mount Fuji is the highest mountain of Japan.
Glass is made by melting sand with soda and lime.`

/** Ranks what the person pasted by how near in meaning it is to a question. */
export function SearchView() {
  const say = words.value.onnxPage
  return (
    <section class="section" aria-labelledby="onnx-search">
      <h2 id="onnx-search">{say.searchByMeaning}</h2>
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
            aria-label={say.lookFor}
            placeholder={say.lookFor}
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
              {say.search}
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
  const say = words.value.onnxPage
  return (
    <div class="onnx-text">
      <textarea
        class="field"
        rows={7}
        aria-label={say.textToSearch}
        placeholder={say.pasteHere}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value
          rankSoon()
        }}
      />
      <div class="onnx-row">
        <label class="onnx-unit small">
          <span class="soft">{say.searchIts}</span>
          <select
            class="field"
            value={unit.value}
            onChange={(event) => {
              unit.value = event.currentTarget.value === 'paragraph' ? 'paragraph' : 'line'
              rankSoon()
            }}
          >
            <option value="line">{say.lines}</option>
            <option value="paragraph">{say.paragraphs}</option>
          </select>
          {count > 0 && (
            <span class="soft figures">{say.numEntries[unit.value](formatCount(count), count === 1)}</span>
          )}
        </label>
        {text.value === '' && (
          <button
            type="button"
            class="quiet onnx-example"
            onClick={() => {
              text.value = example
              rankSoon()
            }}
          >
            {say.useExample}
          </button>
        )}
      </div>
    </div>
  )
}

function State() {
  const state = search.value
  const say = words.value.onnxPage
  switch (state.kind) {
    case 'absent':
      return isKept.value ? null : (
        <div class="onnx-acts">
          <button type="button" class="button" onClick={() => void rank()}>
            {say.loadSearchModel}
          </button>
          <p class="small soft onnx-offer">
            {say.searchModelOffer(embedder.name, formatBytes(embedder.sizeBytes))}
          </p>
        </div>
      )
    case 'loading':
      return <OnnxProgress name={embedder.name} progress={state.progress} onCancel={stopSearch} />
    case 'reading': {
      const soFar = say.readingOf(formatCount(state.numDone), formatCount(state.numEntries))
      return (
        <div class="onnx-progress figures">
          <Bar label={say.readingText} value={state.numDone} max={state.numEntries} text={soFar} />
          <div class="onnx-row">
            <span class="small soft">{soFar}</span>
            <button type="button" class="quiet" onClick={stopSearch}>
              {say.stop}
            </button>
          </div>
        </div>
      )
    }
    case 'failed':
      return (
        <div class="onnx-acts" role="alert" data-code={state.code}>
          <p class="onnx-wrong">{engineWords(state.message)}</p>
          <button type="button" class="quiet" onClick={() => void rank()}>
            {say.tryAgain}
          </button>
        </div>
      )
    case 'ready':
      return ranking.value === undefined ? (
        <p class="small soft" role="status">
          {entries.value.length === 0 ? say.readyForText : say.readyForQuery}
        </p>
      ) : null
  }
}

const firstShown = 20

function Ranked() {
  const showsAll = useSignal(false)
  const say = words.value.onnxPage
  if (ranking.value === undefined) return null
  const { query, ranked, ms } = ranking.value
  const shown = showsAll.value ? ranked : ranked.slice(0, firstShown)
  return (
    <>
      <p class="small soft figures" role="status">
        {say.nearest(query, formatCount(ranked.length), ms === undefined ? undefined : formatTaken(ms))}
      </p>
      <ol class="onnx-ranked" aria-label={say.results}>
        {shown.map((entry) => (
          <Entry key={entry.index} entry={entry} />
        ))}
      </ol>
      {shown.length < ranked.length && (
        <button type="button" class="quiet" onClick={() => (showsAll.value = true)}>
          {say.showAll(formatCount(ranked.length))}
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
          <span class="visually-hidden">{words.value.onnxPage.score} </span>
          {score.toFixed(2)}
        </span>
      </span>
    </li>
  )
}
