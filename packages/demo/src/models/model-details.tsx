import type { MemoryEstimate, ModelInspection } from '@brasa/runtime'
import { backendNames } from '../format/backend-names.ts'
import { familyName } from '../format/family-names.ts'
import { formatBytes, formatCount } from '../format/units.ts'
import { type Look, lookAt, lookAway } from '../state/inspection.ts'
import { referenceName } from '../state/model.ts'
import { engineWords } from '../words/engine-words.ts'
import { words } from '../words/words.ts'
import { formatParameters } from './listed.ts'
import './details.css'

interface DetailsProps {
  readonly look: Look
  readonly onLoad: () => void
}

/** What a model is and what it takes, before it is fetched. */
export function ModelDetails({ look: { reference, state }, onLoad }: DetailsProps) {
  const { models, load } = words.value
  const name = referenceName(reference)
  return (
    <section class="details" aria-label={models.aboutIt(name)} aria-busy={state.kind === 'looking'}>
      {state.kind === 'looking' && <p class="soft">{models.reading}</p>}
      {state.kind === 'terms' && (
        <p>
          {models.terms(name)}
          <a href={state.url} target="_blank" rel="noreferrer">
            {models.termsLink}
          </a>
          {models.termsRest}
        </p>
      )}
      {state.kind === 'failed' && <p role="alert">{engineWords(state.message)}</p>}
      {state.kind === 'seen' && <Facts inspection={state.inspection} />}
      <div class="load-acts">
        {state.kind === 'terms' && (
          <button type="button" class="button" onClick={() => lookAt(reference)}>
            {models.accept}
          </button>
        )}
        {state.kind === 'seen' && (
          <button type="button" class="button" onClick={onLoad}>
            {state.inspection.fetchBytes === 0
              ? models.useNow
              : models.download(formatBytes(state.inspection.fetchBytes))}
          </button>
        )}
        {state.kind === 'failed' && (
          <button type="button" class="button" onClick={() => lookAt(reference)}>
            {load.tryAgain}
          </button>
        )}
        <button type="button" class="quiet" onClick={lookAway}>
          {models.notNow}
        </button>
      </div>
    </section>
  )
}

function Facts({ inspection }: { readonly inspection: ModelInspection }) {
  const { sizeBytes, storedBytes, parameters, architecture, quantisation } = inspection
  const { contextLength, licence, template, memory } = inspection
  const { models } = words.value
  const has = [
    ...(template.system ? [models.templateSystem] : []),
    ...(template.tools ? [models.templateTools] : []),
    ...(template.thinking ? [models.templateThinking] : []),
  ]
  return (
    <dl class="figures">
      <dt>{models.size}</dt>
      <dd>
        {storedBytes > 0
          ? models.sizePart(formatBytes(sizeBytes), formatBytes(storedBytes))
          : formatBytes(sizeBytes)}
      </dd>
      <dt>{models.model}</dt>
      <dd>{`${familyName(architecture)}, ${models.parameters(formatParameters(parameters))}, ${quantisation}`}</dd>
      <dt>{models.licence}</dt>
      <dd>{licence ?? models.licenceUnknown}</dd>
      <dt>{models.contextLabel}</dt>
      <dd>{models.contextUpTo(formatCount(contextLength))}</dd>
      <dt>{models.template}</dt>
      <dd>{has.length === 0 ? models.templatePlain : has.join(', ')}</dd>
      <Memory name={backendNames.webgpu} estimate={memory.webgpu} />
      <Memory name={backendNames.wasm} estimate={memory.wasm} />
      <Memory name={backendNames.ort} estimate={memory.ort} />
    </dl>
  )
}

function Memory({ name, estimate }: { readonly name: string; readonly estimate: MemoryEstimate }) {
  const { memory, memoryAbout } = words.value.models
  return (
    <>
      <dt>{memory(name)}</dt>
      <dd>
        {(estimate.problem && engineWords(estimate.problem)) ??
          memoryAbout(formatBytes(estimate.totalBytes), formatCount(estimate.contextLength))}
      </dd>
    </>
  )
}
