import { formatLayerTime, type Timed } from './facts.ts'

/** Measured times side by side: the shortest bar is the fastest. The figures stand beside them. */
export function FigureBars({ timed, label }: { readonly timed: readonly Timed[]; readonly label: string }) {
  const longest = Math.max(...timed.map(({ ms }) => ms))
  return (
    <figure class="figure-bars figures">
      <figcaption class="soft">{label}</figcaption>
      <dl>
        {timed.map(({ name, ms, isChosen }) => (
          <div key={name} class={isChosen ? 'figure-bar figure-chosen' : 'figure-bar'}>
            <dt>{name}</dt>
            <dd>
              <i aria-hidden="true">
                <b style={{ width: `${Math.max(1, (100 * ms) / longest)}%` }} />
              </i>
              <span>{formatLayerTime(ms)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </figure>
  )
}
