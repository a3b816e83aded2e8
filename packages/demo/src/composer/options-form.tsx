import type { ComponentChildren } from 'preact'
import { type AnswerOptions, answerOptions } from '../state/answer-options.ts'
import { SchemaField } from '../structure/schema-field.tsx'
import { toolNames } from '../tools/tools.ts'
import { words } from '../words/words.ts'
import './options.css'

const change = (next: Partial<AnswerOptions>) => {
  answerOptions.value = { ...answerOptions.value, ...next }
}

/** Words, JSON or tools; and whether probabilities are kept. Counts from the next answer on and is remembered. */
export function OptionsForm() {
  const { options: said } = words.value
  const { mode, keepProbabilities } = answerOptions.value
  return (
    <div class="options">
      <fieldset>
        <legend>{said.answerAs}</legend>
        <Choice
          name="mode"
          checked={mode === 'text'}
          label={said.text}
          onChoose={() => change({ mode: 'text' })}
        />
        <Choice
          name="mode"
          checked={mode === 'json'}
          label={said.asJson}
          onChoose={() => change({ mode: 'json' })}
        />
        {mode === 'json' && (
          <div class="options-more">
            <SchemaField value={answerOptions.value.schema} onChange={(schema) => change({ schema })} />
          </div>
        )}
        <Choice
          name="mode"
          checked={mode === 'tools'}
          label={said.withTools}
          onChoose={() => change({ mode: 'tools' })}
        />
        {mode === 'tools' && <ToolOptions />}
      </fieldset>
      <fieldset>
        <legend>{said.inspect}</legend>
        <Check
          checked={keepProbabilities}
          label={said.keepProbabilities}
          onChange={(checked) => change({ keepProbabilities: checked })}
        >
          {said.keepProbabilitiesHint}
        </Check>
      </fieldset>
    </div>
  )
}

function ToolOptions() {
  const { options: said, tools: toolWords } = words.value
  const { tools, toolChoice } = answerOptions.value
  return (
    <div class="options-more">
      {toolNames.map((name) => (
        <Check
          key={name}
          checked={tools.includes(name)}
          label={toolWords.names[name]}
          onChange={(checked) =>
            change({ tools: toolNames.filter((each) => (each === name ? checked : tools.includes(each))) })
          }
        >
          {toolWords.hints[name]}
        </Check>
      ))}
      <div role="radiogroup" aria-label={said.whenToCall} class="options-choices">
        <Choice
          name="tool-choice"
          checked={toolChoice === 'auto'}
          label={said.mayCall}
          onChoose={() => change({ toolChoice: 'auto' })}
        />
        <Choice
          name="tool-choice"
          checked={toolChoice === 'required'}
          label={said.mustCall}
          onChoose={() => change({ toolChoice: 'required' })}
        />
      </div>
      <p class="small soft">{said.smallModels}</p>
    </div>
  )
}

interface ChoiceProps {
  readonly name: string
  readonly checked: boolean
  readonly label: string
  readonly onChoose: () => void
}

function Choice({ name, checked, label, onChoose }: ChoiceProps) {
  return (
    <label class="option">
      <input type="radio" name={name} checked={checked} onChange={onChoose} />
      <span>{label}</span>
    </label>
  )
}

interface CheckProps {
  readonly checked: boolean
  readonly label: string
  readonly onChange: (checked: boolean) => void
  readonly children: ComponentChildren
}

function Check({ checked, label, onChange, children }: CheckProps) {
  return (
    <label class="option">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>
        {label}
        <span class="option-hint small soft">{children}</span>
      </span>
    </label>
  )
}
