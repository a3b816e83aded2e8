import { useEffect } from 'preact/hooks'
import { Bar } from '../controls/bar.tsx'
import { Empty, Trouble, Waiting } from '../controls/states.tsx'
import { knownBytes, phaseWord, progressFacts } from '../load/progress.ts'
import { cancelLoad, loadModel, model, reference, referenceName } from '../state/model.ts'
import { sheet } from '../state/page.ts'
import { words } from '../words/words.ts'
import { CodeView } from './code-view.tsx'
import { meet, state, stop } from './console-state.ts'
import { MetricsView } from './metrics-view.tsx'
import { ReplyView } from './reply-view.tsx'
import { Examples, RequestForm } from './request-form.tsx'
import './api.css'

/** Sends requests to the model by OpenAI's API, shows them as code, and shows what comes back. */
export function Console() {
  const say = words.value.api
  return (
    <div class="page">
      <div class="page-column api">
        <header class="page-head">
          <h1>{say.title}</h1>
          <p>{say.intro}</p>
        </header>
        {model.value.kind === 'ready' ? <Ready /> : <NotReady />}
      </div>
    </div>
  )
}

function Ready() {
  const engine = model.value.kind === 'ready' ? model.value.engine : undefined
  useEffect(() => {
    if (engine !== undefined) void meet(engine)
  }, [engine])
  useEffect(() => {
    const onKeyDown = ({ key, defaultPrevented }: KeyboardEvent) => {
      // An open dialog has its own Esc.
      if (key === 'Escape' && !defaultPrevented && sheet.value === undefined) stop()
    }
    addEventListener('keydown', onKeyDown)
    return () => removeEventListener('keydown', onKeyDown)
  }, [])
  return (
    <>
      <Examples />
      <div class="halves">
        <section class="section" aria-labelledby="api-request">
          <RequestForm />
          <CodeView />
        </section>
        <section class="section" aria-labelledby="api-reply" aria-busy={state.value.kind === 'sending'}>
          <ReplyView />
        </section>
      </div>
      <MetricsView />
    </>
  )
}

/** The API answers once a model is there: its way here is shown in place of the console. */
function NotReady() {
  const now = model.value
  const say = words.value.api
  const name = referenceName(reference.value)
  switch (now.kind) {
    case 'loading': {
      const { progress } = now
      const facts = progress === undefined ? [] : [phaseWord(progress.phase), ...progressFacts(progress)]
      const text = [name, ...facts].join(' · ')
      return (
        <div class="api-load figures">
          <p role="status">{text}</p>
          <Bar label={say.loading} value={knownBytes(progress)} max={progress?.totalBytes ?? 1} text={text} />
          <div class="acts">
            <button type="button" class="quiet" onClick={cancelLoad}>
              {say.cancel}
            </button>
          </div>
        </div>
      )
    }
    case 'failed':
      return (
        <Trouble code={now.code} message={now.message}>
          <button type="button" class="quiet" onClick={() => loadModel(reference.value)}>
            {say.tryAgain}
          </button>
        </Trouble>
      )
    case 'absent':
      return (
        <Empty
          icon="api"
          title={say.noModel}
          acts={
            <button type="button" class="button" onClick={() => loadModel(reference.value)}>
              {say.load(name)}
            </button>
          }
        >
          {say.needsModel}
        </Empty>
      )
    default:
      return <Waiting>{say.looking}</Waiting>
  }
}
