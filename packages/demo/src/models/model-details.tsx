import type { MemoryEstimate, ModelInspection } from '@brasa/runtime'
import { backendNames } from '../format/backend-names.ts'
import { formatBytes, formatCount } from '../format/units.ts'
import { type Look, lookAt, lookAway } from '../state/inspection.ts'
import { referenceName } from '../state/model.ts'

interface DetailsProps {
  readonly look: Look
  readonly onLoad: () => void
}

/** What a model is and what it takes, before it is fetched. */
export function ModelDetails({ look: { reference, state }, onLoad }: DetailsProps) {
  const name = referenceName(reference)
  return (
    <section class="details" aria-label={`About ${name}`} aria-busy={state.kind === 'looking'}>
      {state.kind === 'looking' && <p class="soft">Reading what the model is…</p>}
      {state.kind === 'terms' && (
        <p>
          {`${name} comes under `}
          <a href={state.url} target="_blank" rel="noreferrer">
            its own terms
          </a>
          . It is not part of this page: it is fetched from where it is published, by you.
        </p>
      )}
      {state.kind === 'failed' && <p role="alert">{state.message}</p>}
      {state.kind === 'seen' && <Facts inspection={state.inspection} />}
      <div class="load-acts">
        {state.kind === 'terms' && (
          <button type="button" class="button" onClick={() => lookAt(reference)}>
            Accept the terms
          </button>
        )}
        {state.kind === 'seen' && (
          <button type="button" class="button" onClick={onLoad}>
            {state.inspection.fetchBytes === 0
              ? 'Use it'
              : `Download ${formatBytes(state.inspection.fetchBytes)}`}
          </button>
        )}
        {state.kind === 'failed' && (
          <button type="button" class="button" onClick={() => lookAt(reference)}>
            Try again
          </button>
        )}
        <button type="button" class="quiet" onClick={lookAway}>
          Not now
        </button>
      </div>
    </section>
  )
}

function Facts({ inspection }: { readonly inspection: ModelInspection }) {
  const { sizeBytes, storedBytes, parameters, architecture, quantisation } = inspection
  const { contextLength, licence, template, memory } = inspection
  const has = [
    ...(template.system ? ['system prompt'] : []),
    ...(template.tools ? ['tools'] : []),
    ...(template.thinking ? ['thinking'] : []),
  ]
  return (
    <dl class="figures">
      <dt>Size</dt>
      <dd>
        {formatBytes(sizeBytes)}
        {storedBytes > 0 && `, ${formatBytes(storedBytes)} of it here`}
      </dd>
      <dt>Model</dt>
      <dd>{`${architecture}, ${formatParameters(parameters)}, ${quantisation}`}</dd>
      <dt>Licence</dt>
      <dd>{licence ?? 'The file does not say'}</dd>
      <dt>Context</dt>
      <dd>{`up to ${formatCount(contextLength)} tokens`}</dd>
      <dt>Template</dt>
      <dd>{has.length === 0 ? 'plain chat' : has.join(', ')}</dd>
      <Memory name={backendNames.webgpu} estimate={memory.webgpu} />
      <Memory name={backendNames.wasm} estimate={memory.wasm} />
      <Memory name={backendNames.ort} estimate={memory.ort} />
    </dl>
  )
}

function Memory({ name, estimate }: { readonly name: string; readonly estimate: MemoryEstimate }) {
  return (
    <>
      <dt>{`Memory, ${name}`}</dt>
      <dd>
        {estimate.problem ??
          `about ${formatBytes(estimate.totalBytes)} with ${formatCount(estimate.contextLength)} tokens`}
      </dd>
    </>
  )
}

/** "135M", "1.7B". */
function formatParameters(count: number): string {
  return count < 999.5e6
    ? `${Math.round(count / 1e6)}M parameters`
    : `${(count / 1e9).toFixed(1)}B parameters`
}
