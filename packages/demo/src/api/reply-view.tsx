import { useSignal } from '@preact/signals'
import { CopyButton } from '../controls/copy.tsx'
import { Segments } from '../controls/segments.tsx'
import { Empty, Trouble, Waiting } from '../controls/states.tsx'
import { formatCount } from '../format/units.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { type Reply, send, state } from './console-state.ts'

/** What came back: status, time and id, then the body as it arrives. */
export function ReplyView() {
  const say = words.value.api
  const now = state.value
  const reply = now.kind === 'idle' ? undefined : now.reply
  return (
    <>
      <h2 id="api-reply">{say.reply}</h2>
      {now.kind === 'idle' && (
        <Empty icon="api" title={say.nothingSent}>
          {say.nothingSentHint}
        </Empty>
      )}
      {now.kind === 'sending' && reply === undefined && <Waiting>{say.sending}</Waiting>}
      {reply !== undefined && <Head reply={reply} />}
      {now.kind === 'stopped' && (
        <p class="soft" role="status">
          {say.stopped}
        </p>
      )}
      {now.kind === 'failed' && (
        <Trouble message={say.broke(engineWords(now.message))}>
          <button type="button" class="quiet" onClick={() => void send()}>
            {say.sendAgain}
          </button>
        </Trouble>
      )}
      {reply?.events !== undefined && <Stream reply={reply} />}
      {reply !== undefined && reply.events === undefined && reply.body !== '' && (
        <Block text={prettyBody(reply)} label={say.replyBody} />
      )}
      {reply !== undefined && <Headers reply={reply} />}
    </>
  )
}

function Head({ reply: { status, statusText, way, headMs, totalMs } }: { readonly reply: Reply }) {
  const say = words.value.api
  return (
    <p class="api-status figures" role="status">
      <strong class={status < 400 ? 'api-good' : 'api-bad'}>{`${status} ${statusText}`.trim()}</strong>
      <span>{totalMs === undefined ? say.soFar(formatMs(headMs)) : say.took(formatMs(totalMs))}</span>
      <span class="soft">{way === 'worker' ? say.wayWorker : say.wayEngine}</span>
    </p>
  )
}

const formatMs = (ms: number) => (ms < 1000 ? `${formatCount(ms)} ms` : `${(ms / 1000).toFixed(2)} s`)

/** Events that are drawn: all of a long stream would slow the page that makes it. */
const numShown = 200

/** The answer's text as it grows, or the events that carry it. */
function Stream({ reply: { events = [], text = '' } }: { readonly reply: Reply }) {
  const say = words.value.api
  const shows = useSignal<'text' | 'events'>('text')
  const hidden = Math.max(0, events.length - numShown)
  const lines = events
    .slice(hidden)
    .map(({ name, data }) => `${name === '' ? '' : `event: ${name}\n`}data: ${data}\n`)
  return (
    <>
      <div class="api-stream-head">
        <Segments
          label={say.showStreamAs}
          options={[
            { id: 'text', word: say.text },
            { id: 'events', word: say.events },
          ]}
          chosen={shows.value}
          onChoose={(id) => {
            shows.value = id
          }}
        />
        <span class="small soft figures">{say.numEvents(formatCount(events.length))}</span>
      </div>
      {shows.value === 'text' ? (
        <Block text={text} label={say.replyText} isProse />
      ) : (
        <>
          {hidden > 0 && <p class="small soft">{say.lastEvents(formatCount(numShown))}</p>}
          <Block text={lines.join('\n')} label={say.events} />
        </>
      )}
    </>
  )
}

interface BlockProps {
  readonly text: string
  readonly label: string
  readonly isProse?: boolean
}

function Block({ text, label, isProse = false }: BlockProps) {
  return (
    <div class="api-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
      <section class="api-scroll" tabIndex={0} aria-label={label}>
        <pre class={isProse ? 'api-prose' : undefined}>{text}</pre>
      </section>
      <CopyButton text={() => text} label={label} />
    </div>
  )
}

/** JSON with its lines broken; all else as it is. */
function prettyBody({ body }: Reply): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

function Headers({ reply: { headers } }: { readonly reply: Reply }) {
  const id = headers.find(([name]) => name === 'x-request-id')?.[1]
  return (
    <>
      {id !== undefined && (
        <p class="small soft api-id">
          x-request-id <code>{id}</code>
        </p>
      )}
      <details class="api-headers">
        <summary class="small">{words.value.api.headers(headers.length)}</summary>
        <dl class="facts small">
          {headers.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </details>
    </>
  )
}
