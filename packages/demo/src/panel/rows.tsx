import { Fragment } from 'preact'
import { engineWords } from '../words/engine-words.ts'
import type { Row } from './facts.ts'

/** Labels on the left, figures on the right. */
export function Rows({ rows }: { readonly rows: readonly Row[] }) {
  if (rows.length === 0) return null
  return (
    <dl class="figures">
      {rows.map(([label, value]) => (
        <Fragment key={label}>
          <dt>{label}</dt>
          <dd>{engineWords(value)}</dd>
        </Fragment>
      ))}
    </dl>
  )
}
