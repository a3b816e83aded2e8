/** What the page shows of Prometheus' text: counts since the model was loaded, and means. */
export interface MetricFigures {
  readonly waiting: number
  readonly running: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly answerTokens: number
  readonly cacheBytes?: number
  /** Undefined before the first answer. */
  readonly meanFirstTokenSeconds?: number
  readonly meanTokenSeconds?: number
  /** Requests that were refused or failed. */
  readonly numErrors: number
}

export function metricFigures(text: string): MetricFigures {
  const samples = samplesOf(text)
  const sum = (name: string) =>
    samples.filter((sample) => sample.name === name).reduce((total, { value }) => total + value, 0)
  const mean = (name: string) => {
    const count = sum(`${name}_count`)
    return count === 0 ? undefined : sum(`${name}_sum`) / count
  }
  const optional = <Key extends string>(key: Key, value: number | undefined) =>
    (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: number }
  const hasCache = samples.some(({ name }) => name === 'brasa_kv_cache_bytes')
  return {
    waiting: sum('brasa_requests_waiting'),
    running: sum('brasa_requests_running'),
    promptTokens: sum('brasa_prompt_tokens_total'),
    cachedTokens: sum('brasa_cached_prompt_tokens_total'),
    answerTokens: sum('brasa_generation_tokens_total'),
    ...optional('cacheBytes', hasCache ? sum('brasa_kv_cache_bytes') : undefined),
    ...optional('meanFirstTokenSeconds', mean('brasa_time_to_first_token_seconds')),
    ...optional('meanTokenSeconds', mean('brasa_time_per_output_token_seconds')),
    numErrors: samples
      .filter(({ name, labels }) => name === 'brasa_http_requests_total' && /status="[45]/.test(labels))
      .reduce((total, { value }) => total + value, 0),
  }
}

interface Sample {
  readonly name: string
  readonly labels: string
  readonly value: number
}

function samplesOf(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    return name === undefined ? [] : [{ name, labels, value: Number(value) }]
  })
}
