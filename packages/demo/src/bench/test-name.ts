import type { BenchTest } from '../../../../e2e/bench/schema.mjs'
import { words } from '../words/words.ts'

/** What a person calls a test; results keep the command line's names. */
export function testName({ kind, name, promptTokens = 0, answerTokens = 0 }: BenchTest): string {
  const say = words.value.bench.testNames
  switch (kind) {
    case 'prefill':
      return say.prefill(promptTokens)
    case 'decode':
      return say.decode(answerTokens)
    case 'ttft':
      return say.ttft(promptTokens)
    case 'load':
      return say.load
    default:
      return name
  }
}
