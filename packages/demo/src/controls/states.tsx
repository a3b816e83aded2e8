import type { ComponentChildren } from 'preact'
import { engineWords } from '../words/engine-words.ts'
import { Icon, type IconName } from './icon.tsx'
import './states.css'

interface EmptyProps {
  readonly icon?: IconName
  /** What there is none of. */
  readonly title: string
  /** A sentence on how there comes to be some. */
  readonly children?: ComponentChildren
  /** Buttons. */
  readonly acts?: ComponentChildren
}

/** Nothing here yet, and what to do about it. */
export function Empty({ icon, title, children, acts }: EmptyProps) {
  return (
    <div class="empty">
      {icon !== undefined && <Icon name={icon} />}
      <p class="empty-title">{title}</p>
      {children !== undefined && <p class="soft small">{children}</p>}
      {acts !== undefined && <div class="acts">{acts}</div>}
    </div>
  )
}

/** Something is on its way, and nobody knows how far: a line that says what. Where it is known, there is Bar. */
export function Waiting({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="waiting soft" role="status">
      <i class="waiting-dot" aria-hidden="true" />
      {children}
    </p>
  )
}

interface TroubleProps {
  /** For tests and for style: what went wrong, as a word of the program. */
  readonly code?: string
  /** A sentence, the page's or the engine's: what happened and what to do. */
  readonly message: string
  /** The button that does it. */
  readonly children?: ComponentChildren
}

/** A failure: a sentence and a button. */
export function Trouble({ code, message, children }: TroubleProps) {
  return (
    <div class="notice trouble" role="alert" data-code={code}>
      <Icon name="warning" />
      <p>{engineWords(message)}</p>
      {children}
    </div>
  )
}
