import { useEffect } from 'preact/hooks'
import { formatBytes, formatCount, formatMeasured, formatSpeed } from '../format/units.ts'
import { words } from '../words/words.ts'
import { figures, refreshFigures } from './console-state.ts'

const everyMs = 2000

/** The engine's own counts, as GET /metrics tells them, of all who ask it: the chat too. */
export function MetricsView() {
  useEffect(() => {
    void refreshFigures()
    const timer = setInterval(() => {
      if (!document.hidden) void refreshFigures()
    }, everyMs)
    return () => clearInterval(timer)
  }, [])
  const say = words.value.api
  const now = figures.value
  if (now === undefined) return null
  const { meanFirstTokenSeconds: first, meanTokenSeconds: token, cacheBytes } = now
  const shown: readonly (readonly [label: string, value: string])[] = [
    [say.running, formatCount(now.running)],
    [say.waiting, formatCount(now.waiting)],
    [say.answerTokens, formatCount(now.answerTokens)],
    [say.promptTokens, formatCount(now.promptTokens)],
    [say.cachedTokens, formatCount(now.cachedTokens)],
    [say.firstToken, first === undefined ? '–' : formatMeasured(1000 * first)],
    [say.speed, token === undefined || token === 0 ? '–' : formatSpeed(1 / token)],
    [say.cache, cacheBytes === undefined ? '–' : formatBytes(cacheBytes)],
    [say.errors, formatCount(now.numErrors)],
  ]
  return (
    <section class="api-metrics" aria-labelledby="api-metrics">
      <h2 id="api-metrics">{say.metrics}</h2>
      <dl class="figures">
        {shown.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="small soft">{say.metricsNote}</p>
    </section>
  )
}
