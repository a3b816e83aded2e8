import { BrasaError } from '../errors.ts'
import type { EngineClient } from './engine-client.ts'

/** The client of an engine that has no language model: whatever needs one says so. */
export function clientWithoutModel(): EngineClient {
  const refuse = () => {
    throw new BrasaError('invalid_request', {
      message:
        'This engine has no language model. Name one as "model" in createEngine; sessions, embeddings and classify need none.',
      details: { parameter: 'model' },
    })
  }
  const refuseLater = async () => refuse()
  return {
    get loaded(): EngineClient['loaded'] {
      return refuse()
    },
    // biome-ignore lint/correctness/useYield: it never comes to an event
    async *generate() {
      refuse()
    },
    tokenize: refuseLater,
    tokenBytes: refuseLater,
    score: refuseLater,
    memory: refuseLater,
    counters: refuseLater,
    dispose: async () => {},
  }
}
