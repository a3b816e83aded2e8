const width = 260
const height = 48

/** Speeds of the last answers, from zero up, without axes: the figures stand below it. */
export function SparkLine({ values }: { readonly values: readonly number[] }) {
  const top = Math.max(...values)
  const points = values.map((value, index) => {
    const x = (index * width) / (values.length - 1)
    return `${x.toFixed(1)},${(height - 2 - (value / top) * (height - 4)).toFixed(1)}`
  })
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  )
}
