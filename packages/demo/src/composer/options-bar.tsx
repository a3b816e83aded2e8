import { Icon } from '../controls/icon.tsx'
import { answerOptions, schemaProblem } from '../state/answer-options.ts'
import { sheet } from '../state/page.ts'
import { words } from '../words/words.ts'

const openOptions = () => {
  sheet.value = 'options'
}

export function OptionsButton() {
  const { options: said } = words.value
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={said.title}
      title={said.title}
      onClick={openOptions}
    >
      <Icon name="options" />
    </button>
  )
}

/** What the next answer is held to, where that is more than words. */
export function OptionsOn() {
  const { options: said, tools } = words.value
  const { mode, schema, tools: names, toolChoice, keepProbabilities } = answerOptions.value
  const on = [
    ...(mode === 'json' ? [schema.trim() === '' ? said.json : said.jsonBySchema] : []),
    ...(mode === 'tools' && names.length > 0
      ? [
          `${names.map((name) => tools.names[name]).join(', ')}${toolChoice === 'required' ? ` (${said.must})` : ''}`,
        ]
      : []),
    ...(keepProbabilities ? [said.probabilitiesKept] : []),
  ]
  if (on.length === 0) return null
  return (
    <ul class="ask-options" aria-label={said.on}>
      {on.map((each) => (
        <li key={each}>
          <button type="button" class="quiet" onClick={openOptions}>
            {each}
          </button>
        </li>
      ))}
    </ul>
  )
}

/** Why nothing can be sent, where that is the schema's fault. */
export function SchemaNotice() {
  const { options: said } = words.value
  const { mode, schema } = answerOptions.value
  if (mode !== 'json' || schemaProblem(schema) === undefined) return null
  return (
    <div class="notice" role="status" data-code="schema_mistake">
      <p>{said.schemaMistake}</p>
      <button type="button" class="quiet" onClick={openOptions}>
        {words.value.answer.changeSchema}
      </button>
    </div>
  )
}
