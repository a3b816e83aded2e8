import { type Signal, useSignal } from '@preact/signals'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import type { TokenProbability } from '../state/answer-parts.ts'
import { words } from '../words/words.ts'
import { formatPercent, heatOf, heats, likeliestOf, visibleText } from './heat.ts'
import './heat.css'

interface HeatProps {
  readonly tokens: readonly TokenProbability[]
}

/** An answer token by token, coloured and underlined by how likely each was; the one that is pointed at says what else could stand there. */
export function HeatView({ tokens }: HeatProps) {
  const { heat: said } = words.value
  const list = useRef<HTMLDivElement>(null)
  /** Whose card is shown. */
  const shown = useSignal<number | undefined>(undefined)
  const cardId = useId()
  const spans = () => list.current!.children as HTMLCollectionOf<HTMLElement>
  const indexOf = (target: EventTarget | null) =>
    target instanceof Element ? Array.prototype.indexOf.call(spans(), target.closest('.token')) : -1
  const show = (target: EventTarget | null) => {
    const index = indexOf(target)
    if (index >= 0) shown.value = index
  }
  /** The one tab stop moves with the focus. */
  const onFocus = (event: FocusEvent) => {
    if (indexOf(event.target) < 0) return
    list.current!.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1')
    ;(event.target as HTMLElement).setAttribute('tabindex', '0')
    show(event.target)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const from = indexOf(event.target)
    if (event.key === 'Escape' && shown.value !== undefined) {
      event.preventDefault()
      shown.value = undefined
      return
    }
    const to = nextIndex(spans(), from, event.key)
    if (to === undefined) return
    event.preventDefault()
    spans()[to]!.focus()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: leaving it closes what pointing at a token opened.
    <div class="heat" onMouseLeave={() => (shown.value = undefined)}>
      <Legend />
      {/* biome-ignore lint/a11y/useKeyWithMouseEvents: the focus shows the same, by onFocus. */}
      <div
        ref={list}
        class="heat-tokens"
        role="listbox"
        tabIndex={-1}
        aria-label={said.tokens}
        aria-describedby={`${cardId}-how`}
        aria-orientation="horizontal"
        onMouseOver={(event) => show(event.target)}
        onClick={(event) => show(event.target)}
        onFocusIn={onFocus}
        onFocusOut={() => (shown.value = undefined)}
        onKeyDown={onKeyDown}
      >
        {tokens.map(([text, probability], index) => (
          <span
            key={index}
            class={`token heat-${heatOf(probability)}`}
            role="option"
            aria-selected={false}
            tabIndex={index === 0 ? 0 : -1}
            aria-label={said.token(visibleText(text), formatPercent(probability))}
            aria-describedby={cardId}
          >
            {visibleText(text)}
          </span>
        ))}
      </div>
      <p class="visually-hidden" id={`${cardId}-how`}>
        {said.how}
      </p>
      <TokenCard id={cardId} tokens={tokens} shown={shown} spans={spans} />
    </div>
  )
}

function Legend() {
  const { heat: said } = words.value
  return (
    <ul class="heat-legend figures" aria-label={said.legend}>
      {heats.map(({ least }, index) => (
        <li key={least}>
          <span class={`token heat-${index}`}>
            {index === 0
              ? said.atLeast(least * 100)
              : least === 0
                ? said.below(heats[index - 1]!.least * 100)
                : said.between(least * 100, heats[index - 1]!.least * 100)}
          </span>
        </li>
      ))}
    </ul>
  )
}

interface CardProps extends HeatProps {
  readonly id: string
  readonly shown: Signal<number | undefined>
  readonly spans: () => HTMLCollectionOf<HTMLElement>
}

/** The likeliest tokens at a place, below it, or above where there is no room. */
function TokenCard({ id, tokens, shown, spans }: CardProps) {
  const { heat: said } = words.value
  const card = useRef<HTMLDivElement>(null)
  const index = shown.value
  const token = index === undefined ? undefined : tokens[index]
  useLayoutEffect(() => {
    if (index !== undefined && token !== undefined) place(card.current!, spans()[index]!)
  }, [index])
  return (
    <div ref={card} id={id} class="token-card figures" role="tooltip" hidden={token === undefined}>
      {token !== undefined && (
        <table>
          <caption class="visually-hidden">{said.likeliest}</caption>
          <tbody>
            {likeliestOf(token).map(({ text, probability, isChosen }, rank) => (
              <tr key={rank} data-chosen={isChosen}>
                <th scope="row">
                  <code>{visibleText(text)}</code>
                  {isChosen && <span class="soft"> {said.chosen}</span>}
                </th>
                <td>{formatPercent(probability)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function place(card: HTMLElement, token: HTMLElement): void {
  const frame = card.offsetParent?.getBoundingClientRect()
  const line = token.getClientRects()[0]
  if (frame === undefined || line === undefined) return
  const left = Math.max(0, Math.min(line.left - frame.left, frame.width - card.offsetWidth))
  const floor = card.closest('.talk')?.getBoundingClientRect().bottom ?? innerHeight
  const hasRoom = line.bottom + 4 + card.offsetHeight <= floor
  const top = hasRoom ? line.bottom + 4 : line.top - 4 - card.offsetHeight
  card.style.left = `${left}px`
  card.style.top = `${top - frame.top}px`
}

/** Where an arrow leads: along the line, or to the nearest token of the next. */
function nextIndex(spans: HTMLCollectionOf<HTMLElement>, from: number, key: string): number | undefined {
  const last = spans.length - 1
  if (key === 'ArrowRight') return Math.min(last, from + 1)
  if (key === 'ArrowLeft') return Math.max(0, from - 1)
  if (key === 'Home') return 0
  if (key === 'End') return last
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return undefined
  const step = key === 'ArrowDown' ? 1 : -1
  const { left, top } = spans[from]!.getBoundingClientRect()
  let best: number | undefined
  let bestTop: number | undefined
  for (let index = from + step; index >= 0 && index <= last; index += step) {
    const box = spans[index]!.getBoundingClientRect()
    if ((box.top - top) * step < box.height / 2) continue
    bestTop ??= box.top
    if (Math.abs(box.top - bestTop) > box.height / 2) break
    if (
      best === undefined ||
      Math.abs(box.left - left) < Math.abs(spans[best]!.getBoundingClientRect().left - left)
    ) {
      best = index
    }
  }
  return best ?? from
}
