import { useSignal } from '@preact/signals'
import { backendNames } from '../format/backend-names.ts'
import { formatBytes, formatBytesOf, formatCount, formatRate } from '../format/units.ts'
import { diagnose } from '../load/failure.ts'
import { FailureActs } from '../load/failure-acts.tsx'
import { LoadProgressView } from '../load/load-progress.tsx'
import { deviceMemoryBytes, freeBytes, hasPlentyOfMemory } from '../state/device-storage.ts'
import { look, lookAt } from '../state/inspection.ts'
import { bestSpeed } from '../state/measured.ts'
import { describeFailure, model, pinModel, reference } from '../state/model.ts'
import { facts } from '../state/model-facts.ts'
import { showView } from '../state/page.ts'
import { engineWords } from '../words/engine-words.ts'
import { language, words } from '../words/words.ts'
import { type Fit, fitOf } from './fit.ts'
import { currentId, factsLine, type ListedModel } from './listed.ts'
import { ModelDetails } from './model-details.tsx'
import { RemoveModel } from './remove-model.tsx'
import { openOnnx, take } from './use-model.ts'

/** A model: what it is, whether it has room, how fast it was, how it is, and what can be done with it. */
export function ModelRow({ listed }: { readonly listed: ListedModel }) {
  const { id, name, stored } = listed
  const failure = useSignal<string | undefined>(undefined)
  const isCurrent = currentId() === id
  const state = model.value
  const isLoading = isCurrent && state.kind === 'loading'
  const failed = isCurrent && state.kind === 'failed' ? diagnose(state, reference.value) : undefined
  const attempt = (work: Promise<void>) => {
    failure.value = undefined
    work.catch((error) => {
      failure.value = describeFailure(error).message
    })
  }
  return (
    <li class="model-row" aria-label={name}>
      <div class="model-what">
        <h3>
          {name}
          <State listed={listed} />
        </h3>
        <Figures listed={listed} />
      </div>
      {!isLoading && (
        <div class="model-acts">
          <Main listed={listed} />
          {stored?.isComplete && (
            <button
              type="button"
              class="word"
              aria-pressed={stored.isPinned}
              aria-label={stored.isPinned ? words.value.models.unpinIt(name) : words.value.models.pinIt(name)}
              title={words.value.models.pinHint}
              onClick={() => attempt(pinModel(id, !stored.isPinned))}
            >
              {stored.isPinned ? words.value.models.unpin : words.value.models.pin}
            </button>
          )}
          {!listed.isOnnx && (
            <button
              type="button"
              // Where terms come first it is the way in.
              class={stored === undefined && listed.entry?.terms !== undefined ? 'quiet' : 'word'}
              aria-label={words.value.models.aboutIt(name)}
              aria-expanded={look.value?.reference === id}
              onClick={() => lookAt(id, stored?.isComplete ? undefined : listed.entry?.terms)}
            >
              {words.value.models.about}
            </button>
          )}
          {stored !== undefined && (
            <RemoveModel id={id} name={name} sizeBytes={stored.sizeBytes} onFailure={failure} />
          )}
        </div>
      )}
      {isLoading && (
        <div class="model-wide">
          <LoadProgressView name={name} progress={state.progress} />
        </div>
      )}
      {failed !== undefined && state.kind === 'failed' && (
        <div class="model-wide notice" role="alert" data-code={state.code}>
          <p>
            <b>{failed.title}.</b> {failed.sentence} <span class="soft">{engineWords(state.message)}</span>
          </p>
          <FailureActs acts={failed.acts} />
        </div>
      )}
      {failure.value !== undefined && (
        <p class="model-wide" role="alert">
          {engineWords(failure.value)}
        </p>
      )}
      {look.value?.reference === id && (
        <div class="model-wide">
          <ModelDetails look={look.value} onLoad={() => take(id)} />
        </div>
      )}
    </li>
  )
}

function State({ listed: { id, stored } }: { readonly listed: ListedModel }) {
  const { inUse, here, partHere, notHere, pinned, failed } = words.value.models
  const isCurrent = currentId() === id
  const [word, mood] =
    isCurrent && model.value.kind === 'ready'
      ? [inUse, 'good']
      : isCurrent && model.value.kind === 'failed'
        ? [failed, 'bad']
        : stored === undefined
          ? [notHere, 'idle']
          : stored.isComplete
            ? [here, 'good']
            : [partHere(partOf(stored.sizeBytes, stored.totalBytes)), 'busy']
  return (
    <>
      <span class="model-state figures">
        <i class={`dot dot-${mood}`} />
        {word}
      </span>
      {stored?.isPinned && <span class="model-state">{pinned}</span>}
    </>
  )
}

const partOf = (bytes: number, total: number | undefined) =>
  total === undefined ? formatBytes(bytes) : formatBytesOf(bytes, total)

function Figures({ listed }: { readonly listed: ListedModel }) {
  const { id, entry, stored, isOnnx } = listed
  const sizeBytes = entry?.sizeBytes ?? stored?.totalBytes ?? stored?.sizeBytes ?? 0
  const missingBytes = stored?.isComplete ? 0 : sizeBytes - (stored?.sizeBytes ?? 0)
  const speed = bestSpeed(id)
  const device = {
    memoryBytes: deviceMemoryBytes(),
    hasPlenty: hasPlentyOfMemory(),
    freeBytes: freeBytes.value,
  }
  const known = facts.value[id]
  const fit = fitOf(sizeBytes, missingBytes, known, entry?.memory, device)
  const isWell = fit.kind === 'fits' || fit.kind === 'takes' || fit.kind === 'weights'
  return (
    <>
      <p class="small soft figures">{[formatBytes(sizeBytes), ...factsLine(listed)].join(' · ')}</p>
      {!isOnnx && (
        <p class={`small figures ${isWell ? 'soft' : 'model-misfit'}`}>
          {fitInWords(fit, entry?.contextLength ?? known?.contextLength)}
        </p>
      )}
      {speed !== undefined && (
        <p class="small figures">
          {words.value.models.speed(
            formatRate(speed.tokensPerSecond),
            backendNames[speed.backend as keyof typeof backendNames] ?? speed.backend,
            new Date(speed.at).toLocaleDateString(language.value, { day: 'numeric', month: 'short' }),
          )}
        </p>
      )}
    </>
  )
}

/** @param wholeContext tokens that the model can hold */
function fitInWords(fit: Fit, wholeContext: number | undefined): string {
  const { models } = words.value
  const held = (contextLength: number) =>
    contextLength === wholeContext ? models.withWhole : models.withTokens(formatCount(contextLength))
  switch (fit.kind) {
    case 'fits': {
      const { totalBytes, backend, contextLength } = fit
      const said = models.fitsMemory(formatBytes(totalBytes), backend && backendNames[backend])
      return `${said} ${held(contextLength)}${roomInWords(fit)}`
    }
    case 'takes':
      return `${models.takesMemory(formatBytes(fit.totalBytes))} ${held(fit.contextLength)}${roomInWords(fit)}`
    case 'weights':
      return `${models.weightsAlone(formatBytes(fit.sizeBytes))}${roomInWords(fit)}`
    case 'over_memory':
      return models.overMemory(formatBytes(fit.neededBytes), formatBytes(fit.limitBytes))
    case 'over_storage':
      return models.overStorage(formatBytes(fit.neededBytes), formatBytes(fit.freeBytes))
    case 'problem':
      return engineWords(fit.message)
  }
}

const roomInWords = ({ roomForBytes }: { readonly roomForBytes?: number }) =>
  roomForBytes === undefined ? '' : `; ${words.value.models.hasRoom(formatBytes(roomForBytes))}`

/** What one most likely wants with the model. */
function Main({ listed: { id, name, isOnnx, stored, entry } }: { readonly listed: ListedModel }) {
  const { models } = words.value
  if (isOnnx) {
    return (
      <button type="button" class="quiet" aria-label={models.openIt(name)} onClick={() => openOnnx(id)}>
        {models.open}
      </button>
    )
  }
  if (currentId() === id && model.value.kind === 'ready') {
    return (
      <button type="button" class="quiet" aria-label={models.chatWith(name)} onClick={() => showView('chat')}>
        {models.chat}
      </button>
    )
  }
  // Its terms come first: About shows them.
  if (stored === undefined && entry?.terms !== undefined) return null
  const [word, label] =
    stored === undefined
      ? [models.load, models.loadIt(name)]
      : stored.isComplete
        ? [models.use, models.useIt(name)]
        : [models.goOn, models.goOnLoading(name)]
  return (
    <button type="button" class="button" aria-label={label} onClick={() => take(id)}>
      {word}
    </button>
  )
}
