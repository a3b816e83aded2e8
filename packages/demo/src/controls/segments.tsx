import { useId } from 'preact/hooks'
import './segments.css'

interface SegmentsProps<Id extends string> {
  readonly label: string
  readonly options: readonly { readonly id: Id; readonly word: string; readonly lang?: string }[]
  readonly chosen: Id
  readonly isOff?: boolean
  readonly onChoose: (id: Id) => void
}

/** One of a few, side by side: radio buttons in other clothes, so that arrows and screen readers know them. */
export function Segments<Id extends string>({
  label,
  options,
  chosen,
  isOff = false,
  onChoose,
}: SegmentsProps<Id>) {
  const name = useId()
  return (
    <fieldset class="segments" aria-label={label} disabled={isOff}>
      {options.map(({ id, word, lang }) => (
        <label key={id} lang={lang}>
          <input type="radio" name={name} checked={id === chosen} onChange={() => onChoose(id)} />
          <span>{word}</span>
        </label>
      ))}
    </fieldset>
  )
}
