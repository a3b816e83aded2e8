import { expect, test } from 'vitest'
import { metricFigures } from './metrics.ts'

const text = `# HELP brasa_time_to_first_token_seconds From the request to its first token.
# TYPE brasa_time_to_first_token_seconds histogram
brasa_time_to_first_token_seconds_bucket{le="0.05"} 1
brasa_time_to_first_token_seconds_sum 0.6
brasa_time_to_first_token_seconds_count 2
brasa_time_per_output_token_seconds_sum 0
brasa_time_per_output_token_seconds_count 0
brasa_requests_waiting 1
brasa_requests_running 2
brasa_prompt_tokens_total 30
brasa_cached_prompt_tokens_total 10
brasa_generation_tokens_total 44
brasa_http_requests_total{path="/v1/models",status="200"} 3
brasa_http_requests_total{path="none",status="404"} 1
brasa_http_requests_total{path="/v1/chat/completions",status="503"} 1
brasa_kv_cache_bytes 4200000
`

test('reads the figures of Prometheus\u2019 text', () => {
  expect(metricFigures(text)).toEqual({
    waiting: 1,
    running: 2,
    promptTokens: 30,
    cachedTokens: 10,
    answerTokens: 44,
    cacheBytes: 4200000,
    meanFirstTokenSeconds: 0.3,
    numErrors: 2,
  })
})

test('has no means and no cache where there are none', () => {
  expect(metricFigures('')).toEqual({
    waiting: 0,
    running: 0,
    promptTokens: 0,
    cachedTokens: 0,
    answerTokens: 0,
    numErrors: 0,
  })
})
