import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type UPlot from 'uplot'
import { isDark } from '../theme/theme.ts'
import { words } from '../words/words.ts'

/** Speeds as they come in: seconds since the run began, and tokens a second. */
export interface SpeedTrace {
  readonly seconds: readonly number[]
  /** Null between two answers. */
  readonly tokensPerSecond: readonly (number | null)[]
}

const height = 160
/** The newest points; more than a phone has pixels. */
const numPoints = 600

/** A moving line. Its library is fetched when there is something to draw. */
export function LiveChart({ trace }: { readonly trace: SpeedTrace }) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const hasFailed = useSignal(false)
  const latest = useRef(trace)
  latest.current = trace
  const theme = isDark.value

  useEffect(() => {
    let isGone = false
    const draw = async () => {
      const [{ default: Plot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')])
      if (isGone || place.current === null) return
      plot.current = new Plot(optionsOf(place.current), pointsOf(latest.current), place.current)
    }
    draw().catch(() => {
      hasFailed.value = true
    })
    const size = new ResizeObserver(() => {
      if (place.current) plot.current?.setSize({ width: place.current.clientWidth, height })
    })
    if (place.current) size.observe(place.current)
    return () => {
      isGone = true
      size.disconnect()
      plot.current?.destroy()
    }
    // A canvas is drawn again in the other colours.
  }, [theme])

  useEffect(() => {
    plot.current?.setData(pointsOf(trace))
  }, [trace])

  return (
    <figure class="bench-live">
      <figcaption class="small soft">
        {hasFailed.value ? words.value.bench.noChart : words.value.bench.liveSpeed}
      </figcaption>
      <div ref={place} aria-hidden="true" />
    </figure>
  )
}

const pointsOf = ({ seconds, tokensPerSecond }: SpeedTrace): UPlot.AlignedData => [
  seconds.slice(-numPoints),
  tokensPerSecond.slice(-numPoints),
]

function optionsOf(place: HTMLElement): UPlot.Options {
  const axis = {
    stroke: colourOf(place, '--soft'),
    grid: { stroke: colourOf(place, '--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  return {
    width: place.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      { ...axis, values: (_, at) => at.map((seconds) => `${seconds} s`) },
      { ...axis, size: 44 },
    ],
    series: [{}, { stroke: colourOf(place, '--ember'), width: 2, points: { show: false } }],
  }
}

/** A canvas knows no custom properties. */
function colourOf(place: HTMLElement, name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  place.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
