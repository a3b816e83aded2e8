interface BarProps {
  readonly label: string
  /** Undefined while it cannot be known. */
  readonly value: number | undefined
  readonly max: number
  /** What the figure means, for those who hear it. */
  readonly text: string
}

/** How far something is. */
export function Bar({ label, value, max, text }: BarProps) {
  const percent = value === undefined || max <= 0 ? undefined : Math.min(100, (100 * value) / max)
  return (
    <div
      class={percent === undefined ? 'bar bar-open' : 'bar'}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent === undefined ? undefined : Math.floor(percent)}
      aria-valuetext={text}
    >
      <i style={{ width: `${percent ?? 100}%` }} />
    </div>
  )
}
