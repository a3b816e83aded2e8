interface BarProps {
  readonly label: string
  readonly value: number
  readonly max: number
  /** What the figure means, for those who hear it. */
  readonly text: string
}

/** How far something is. */
export function Bar({ label, value, max, text }: BarProps) {
  const percent = max > 0 ? Math.min(100, (100 * value) / max) : 0
  return (
    <div
      class="bar"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(percent)}
      aria-valuetext={text}
    >
      <i style={{ width: `${percent}%` }} />
    </div>
  )
}
