import { useId, useRef } from 'preact/hooks'
import { schemaProblem } from '../state/answer-options.ts'
import { words } from '../words/words.ts'
import { formatJson } from './format-json.ts'

interface SchemaProps {
  readonly value: string
  readonly onChange: (schema: string) => void
}

/** To begin with, and to show what a small model can keep to. */
const example = {
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 40 },
    kind: { enum: ['city', 'river', 'mountain'] },
    population: { type: 'integer', minimum: 0 },
  },
  required: ['name', 'kind', 'population'],
}

/** A JSON schema, checked as it is typed: what is wrong is said with its place, and a button goes there. */
export function SchemaField({ value, onChange }: SchemaProps) {
  const { structure: said } = words.value
  const box = useRef<HTMLTextAreaElement>(null)
  const stateId = useId()
  const problem = schemaProblem(value)
  const isBlank = value.trim() === ''
  const show = () => {
    if (problem === undefined || problem.kind === 'no-schema') return
    const before = value.split('\n').slice(0, problem.line - 1)
    const at = before.reduce((sum, line) => sum + line.length + 1, 0) + problem.column - 1
    box.current!.focus()
    box.current!.setSelectionRange(at, at + 1)
  }
  return (
    <div class="schema">
      <label>
        <span>{said.schema}</span>
        <textarea
          ref={box}
          class="field"
          rows={9}
          spellcheck={false}
          autocapitalize="off"
          autocomplete="off"
          aria-invalid={problem !== undefined}
          aria-describedby={stateId}
          placeholder={said.placeholder}
          value={value}
          onInput={(event) => onChange(event.currentTarget.value)}
        />
      </label>
      <p
        class={`schema-state small ${problem === undefined ? 'soft' : 'schema-wrong'}`}
        id={stateId}
        role="status"
      >
        {problem === undefined
          ? isBlank
            ? said.anyObject
            : said.kept
          : problem.kind === 'no-schema'
            ? said.noSchema
            : said.problem(problem.line, problem.column, said.problems[problem.kind])}
      </p>
      <div class="schema-acts">
        {problem !== undefined && problem.kind !== 'no-schema' && (
          <button type="button" class="quiet" onClick={show}>
            {said.goThere}
          </button>
        )}
        {isBlank && (
          <button type="button" class="quiet" onClick={() => onChange(JSON.stringify(example, null, 2))}>
            {said.example}
          </button>
        )}
        {!isBlank && problem === undefined && (
          <button type="button" class="quiet" onClick={() => onChange(formatJson(value))}>
            {said.format}
          </button>
        )}
        {!isBlank && (
          <button type="button" class="quiet" onClick={() => onChange('')}>
            {said.clear}
          </button>
        )}
      </div>
    </div>
  )
}
