/** How often a worker is asked for a sign of life. */
const intervalMs = 150

/**
 * Questions in a row that may stay without an answer. With the interval: a worker that stops answering is given up after
 * 1.65 to 1.8 s, and one that works must come back to its event loop within that time.
 */
const maxUnanswered = 11

/** A worker that has never answered is still being fetched and compiled. */
const startupMs = 30_000

/**
 * Watches a worker, which may die or be stuck without any event. Counts questions, not time, so that a page whose own
 * timers stood still (asleep, in the background, blocked) does not take its worker for dead.
 * @param ping resolves when the worker answers
 * @param onSilence called once
 * @param silenceMs how long a worker that has answered before may now be silent; 1.65 s by default
 * @returns stops watching
 */
export function startHeartbeat(
  ping: () => Promise<void>,
  onSilence: () => void,
  silenceMs?: () => number | undefined,
): () => void {
  let unanswered = 0
  let allowed = startupMs / intervalMs
  const timer = setInterval(() => {
    if (unanswered >= allowed) {
      clearInterval(timer)
      onSilence()
      return
    }
    unanswered++
    ask()
  }, intervalMs)

  function ask(): void {
    ping().then(
      () => {
        unanswered = 0
        allowed = (silenceMs?.() ?? maxUnanswered * intervalMs) / intervalMs
      },
      // An answer that is an error is not silence, but neither is it a sign of health.
      () => {},
    )
  }

  ask()
  return () => clearInterval(timer)
}
