import { BrasaError, createEngine, type Engine, type LoadProgress, type Timings } from '@brasa/runtime'
import { figuresOf } from '../../../../e2e/bench/figures.mjs'
import { loadPrompt, promptOf } from '../../../../e2e/bench/prompts.mjs'
import type { BenchTest, LoadTime, Run } from '../../../../e2e/bench/schema.mjs'
import type { OfferedBackend } from '../state/backend.ts'

/** A test that is a request. */
export type Workload = BenchTest & { readonly promptTokens: number; readonly answerTokens: number }

/**
 * Loads a model and answers one token with it.
 * @throws BrasaError what the engine throws; `aborted` if it was stopped
 */
export async function loadTimed(
  model: string,
  backend: OfferedBackend,
  signal: AbortSignal,
  onProgress: (progress: LoadProgress) => void,
): Promise<{ engine: Engine; time: LoadTime }> {
  const start = performance.now()
  const phases: { phase: LoadProgress['phase']; atMs: number }[] = []
  const engine = await createEngine({
    model,
    backend,
    signal,
    onProgress: (progress) => {
      if (phases.at(-1)?.phase !== progress.phase)
        phases.push({ phase: progress.phase, atMs: performance.now() - start })
      onProgress(progress)
    },
  })
  const readyMs = performance.now() - start
  try {
    const request = { prompt: loadPrompt(), max_tokens: 1, temperature: 0, ignore_eos: true }
    await engine.completions.create(request, { signal })
    signal.throwIfAborted()
  } catch (error) {
    await engine.dispose()
    throw error
  }
  const totalMs = performance.now() - start
  const phasesMs = Object.fromEntries(
    phases.flatMap(({ phase, atMs }, index) =>
      phase === 'ready' ? [] : [[phase, (phases[index + 1]?.atMs ?? readyMs) - atMs]],
    ),
  )
  return { engine, time: { totalMs, firstTokenMs: totalMs - readyMs, phasesMs } }
}

/**
 * Runs one test as the command line does: greedy, past the end of the text, on words that no run had before, by the page's own clock.
 * @param index of its prompt
 * @param onTokens called as they arrive, with how many there are by now and the ms since the request
 * @throws BrasaError what the engine throws; `aborted` if it was stopped
 */
export async function runTest(
  engine: Engine,
  { kind, promptTokens: promptLength, answerTokens: wanted }: Workload,
  index: number,
  signal: AbortSignal,
  onTokens: (numTokens: number, atMs: number) => void,
): Promise<Omit<Run, 'round'>> {
  const start = performance.now()
  let first: { atMs: number; numTokens: number } | undefined
  let [promptTokens, answerTokens] = [0, 0]
  let timings: Timings | undefined
  const prompt = promptOf(index, promptLength)
  const request = { prompt, max_tokens: wanted, temperature: 0, ignore_eos: true, stream: true } as const
  for await (const chunk of await engine.completions.create(request, { signal })) {
    const numTokens = chunk.choices[0]?.tokens.length ?? 0
    const atMs = performance.now() - start
    if (numTokens > 0) first ??= { atMs, numTokens }
    answerTokens += numTokens
    promptTokens += chunk.usage?.prompt_tokens ?? 0
    timings = chunk.timings ?? timings
    if (numTokens > 0) onTokens(answerTokens, atMs)
  }
  const totalMs = performance.now() - start
  signal.throwIfAborted()
  if (first === undefined || answerTokens !== wanted) {
    throw new BrasaError('internal', {
      message: `The engine was to answer ${wanted} tokens and answered ${answerTokens}. Run it again.`,
    })
  }
  const { value, reported } = figuresOf(kind, {
    promptTokens,
    answerTokens,
    firstTokenMs: first.atMs,
    firstTokens: first.numTokens,
    totalMs,
    ...(timings !== undefined && {
      reportedPrefillTokensPerSecond: timings.prefillTokensPerSecond,
      reportedDecodeTokensPerSecond: timings.decodeTokensPerSecond,
    }),
  })
  return { value, promptTokens, answerTokens, ...(reported !== undefined && { reported }) }
}
