import { useEffect, useRef } from 'preact/hooks'
import { model } from '../state/model.ts'
import { words } from '../words/words.ts'
import { endpoints, request, send, state, stop, wayTo } from './console-state.ts'
import { type ApiRequest, exampleRequest, examples, requestTo } from './endpoints.ts'
import { parsedBody } from './request-code.ts'

/** What is sent, and to which address. Ctrl Enter sends from anywhere in it. */
export function RequestForm() {
  const say = words.value.api
  const isSending = state.value.kind === 'sending'
  return (
    <form
      class="api-form"
      aria-labelledby="api-request"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
        event.preventDefault()
        void send()
      }}
    >
      <h2 id="api-request">{say.request}</h2>
      <Address />
      {request.value.method === 'POST' && <Body />}
      <div class="acts">
        {isSending ? (
          <button key="stop" type="button" class="button" onClick={stop}>
            {say.stop}
          </button>
        ) : (
          <button key="send" type="submit" class="button">
            {say.send}
          </button>
        )}
        <span class="small soft api-keys">
          <kbd>{words.value.keys.names.Ctrl}</kbd> <kbd>{words.value.keys.names.Enter}</kbd>
        </span>
      </div>
      {request.value.path === '/v1/embeddings' && <p class="small soft">{say.embeddingNote}</p>}
      <p class="small soft">{wayTo(request.value.path).kind === 'worker' ? say.byWorker : <ByEngine />}</p>
    </form>
  )
}

/** Why this one does not go through the service worker. */
function ByEngine() {
  const say = words.value.api
  return <>{request.value.path.startsWith('/v1/') ? say.noWorker : say.besideV1}</>
}

const modelId = () => (model.value.kind === 'ready' ? model.value.engine.model.id : '')

const isShown = (example: ApiRequest) =>
  example.method === request.value.method &&
  example.path === request.value.path &&
  example.body === request.value.body

/** Requests to begin with. */
export function Examples() {
  const say = words.value.api
  return (
    <fieldset class="api-examples" aria-label={say.examples}>
      {examples.flatMap((example) => {
        if (example.id === undefined) return []
        const asRequest = exampleRequest(example, modelId())
        return [
          <button
            key={example.id}
            type="button"
            class="quiet"
            aria-pressed={isShown(asRequest)}
            onClick={() => {
              request.value = asRequest
            }}
          >
            {say.exampleNames[example.id]}
          </button>,
        ]
      })}
    </fieldset>
  )
}

function Address() {
  const say = words.value.api
  const { method, path } = request.value
  const known = endpoints.value.findIndex(
    (endpoint) => endpoint.method === method && requestTo(endpoint, modelId()).path === path,
  )
  return (
    <div class="api-address">
      <label class="labelled">
        <span>{say.endpoint}</span>
        <select
          class="field"
          value={known}
          onChange={(event) => {
            const chosen = endpoints.value[Number(event.currentTarget.value)]
            if (chosen !== undefined) request.value = requestTo(chosen, modelId())
          }}
        >
          {known < 0 && <option value={-1}>{say.ownAddress}</option>}
          {endpoints.value.map((endpoint, index) => (
            <option key={`${endpoint.method} ${endpoint.path}`} value={index}>
              {`${endpoint.method} ${endpoint.path}`}
            </option>
          ))}
        </select>
      </label>
      <label class="labelled">
        <span>{say.address}</span>
        <input
          class="field api-mono"
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          value={path}
          onInput={(event) => {
            request.value = { ...request.value, path: event.currentTarget.value }
          }}
        />
      </label>
    </div>
  )
}

const mostRows = 18

function Body() {
  const say = words.value.api
  const { body } = request.value
  const isWrong = parsedBody(body) === undefined
  const field = useRef<HTMLTextAreaElement>(null)
  // Another endpoint: its body begins at the top.
  useEffect(() => void field.current?.scrollTo(0, 0), [request.value.path])
  return (
    <label class="labelled">
      <span>{say.body}</span>
      <textarea
        ref={field}
        class="field api-mono api-body"
        rows={Math.min(mostRows, Math.max(4, body.split('\n').length))}
        spellcheck={false}
        autocapitalize="off"
        aria-invalid={isWrong}
        aria-describedby={isWrong ? 'api-not-json' : undefined}
        value={body}
        onInput={(event) => {
          request.value = { ...request.value, body: event.currentTarget.value }
        }}
      />
      {isWrong && (
        <span id="api-not-json" class="api-wrong small">
          {say.notJson}
        </span>
      )}
    </label>
  )
}
