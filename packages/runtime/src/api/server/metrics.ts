import type { MemoryInfo } from '../../backends/executor.ts'
import type { EngineClient } from '../../client/engine-client.ts'

/** Counts what an engine answers, whoever asks. */
export interface Metrics {
  /** The client to answer through. */
  readonly client: EngineClient
  /** One request to `engine.fetch` and how it was answered. */
  countRequest(path: string, status: number): void
  /** Prometheus' text format, version 0.0.4. */
  text(memory: MemoryInfo | undefined): string
}

export function createMetrics(inner: EngineClient): Metrics {
  const timeToFirstToken = createHistogram([0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60])
  const timePerToken = createHistogram([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5])
  const requests = new Map<string, number>()
  const finished = new Map<string, number>()
  let waiting = 0
  let running = 0
  let promptTokens = 0
  let cachedTokens = 0
  let answerTokens = 0
  let scoredTokens = 0
  const increment = (counts: Map<string, number>, labels: string) =>
    void counts.set(labels, (counts.get(labels) ?? 0) + 1)

  /** Of one request: it waits until it is told that the request runs. */
  function follow() {
    let runs = false
    waiting++
    return {
      running() {
        if (runs) return
        runs = true
        waiting--
        running++
      },
      ended() {
        if (runs) running--
        else waiting--
      },
    }
  }

  const client: EngineClient = Object.create(inner, {
    score: {
      async value(...[request, signal, onProgress]: Parameters<EngineClient['score']>) {
        const { running, ended } = follow()
        let numScored = 0
        try {
          return await inner.score(request, signal, (count) => {
            running()
            numScored = count
            onProgress?.(count)
          })
        } finally {
          ended()
          scoredTokens += numScored
        }
      },
    },
    generate: {
      async *value(...[request, signal]: Parameters<EngineClient['generate']>) {
        const { running, ended } = follow()
        let usage: { prompt: number; cached: number; answer: number } | undefined
        try {
          for await (const event of inner.generate(request, signal)) {
            if (event.type === 'tokens') running()
            if (event.type === 'done') {
              const { timings, finishReason, usage: told } = event
              increment(finished, `finished_reason="${finishReason}"`)
              if (timings.ttftMs > 0) timeToFirstToken.observe(timings.ttftMs / 1000)
              if (timings.decodeTokensPerSecond > 0) timePerToken.observe(1 / timings.decodeTokensPerSecond)
              usage = {
                prompt: told.prompt_tokens,
                cached: told.prompt_tokens_details.cached_tokens,
                answer: told.completion_tokens,
              }
            }
            yield event
          }
        } finally {
          ended()
          promptTokens += usage?.prompt ?? 0
          cachedTokens += usage?.cached ?? 0
          answerTokens += usage?.answer ?? 0
        }
      },
    },
  })

  return {
    client,
    countRequest: (path, status) => increment(requests, `path="${path}",status="${status}"`),
    text(memory) {
      const lines = [
        ...timeToFirstToken.lines(
          'brasa_time_to_first_token_seconds',
          'From the request to its first token.',
        ),
        ...timePerToken.lines('brasa_time_per_output_token_seconds', 'Mean over the tokens after the first.'),
        ...metric('gauge', 'brasa_requests_waiting', 'Requests that have no token yet.', [['', waiting]]),
        ...metric('gauge', 'brasa_requests_running', 'Requests that are being answered.', [['', running]]),
        ...metric('counter', 'brasa_prompt_tokens_total', 'Tokens of prompts.', [['', promptTokens]]),
        ...metric('counter', 'brasa_cached_prompt_tokens_total', 'Of these, not computed again.', [
          ['', cachedTokens],
        ]),
        ...metric('counter', 'brasa_generation_tokens_total', 'Tokens of answers.', [['', answerTokens]]),
        ...metric(
          'counter',
          'brasa_scored_tokens_total',
          'Tokens whose likelihood was asked for, as by echo.',
          [['', scoredTokens]],
        ),
        ...metric('counter', 'brasa_answers_total', 'Answers by why they ended.', finished),
        ...metric('counter', 'brasa_http_requests_total', 'Requests to engine.fetch.', requests),
      ]
      if (memory !== undefined) {
        const { kvCacheBytes, weightBytes } = memory
        lines.push(...metric('gauge', 'brasa_kv_cache_bytes', 'Keys and values.', [['', kvCacheBytes]]))
        lines.push(...metric('gauge', 'brasa_weight_bytes', "The model's weights.", [['', weightBytes]]))
      }
      return `${lines.join('\n')}\n`
    },
  }
}

/** @param values by their labels */
function metric(
  type: string,
  name: string,
  help: string,
  values: Iterable<readonly [labels: string, value: number]>,
): string[] {
  const samples = Array.from(values, ([labels, value]) => `${name}${labels && `{${labels}}`} ${value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples]
}

/** @param bounds upper ones of the buckets, in seconds */
function createHistogram(bounds: readonly number[]) {
  const counts = bounds.map(() => 0)
  let count = 0
  let total = 0
  return {
    observe(seconds: number) {
      count++
      total += seconds
      for (const [index, bound] of bounds.entries()) if (seconds <= bound) counts[index]!++
    },
    lines: (name: string, help: string) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} histogram`,
      ...bounds.map((bound, index) => `${name}_bucket{le="${bound}"} ${counts[index]}`),
      `${name}_bucket{le="+Inf"} ${count}`,
      `${name}_sum ${total}`,
      `${name}_count ${count}`,
    ],
  }
}
