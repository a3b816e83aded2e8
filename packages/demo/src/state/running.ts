import { computed, signal } from '@preact/signals'

const numRunning = signal(0)

/** Something runs in this page that a reload would break: an answer, a load, a comparison, a request of another tab. */
export const isBusy = computed(() => numRunning.value > 0)

/** To be called where work begins; what it returns, where it ends. */
export function beginWork(): () => void {
  let hasEnded = false
  numRunning.value += 1
  return () => {
    if (hasEnded) return
    hasEnded = true
    numRunning.value -= 1
  }
}

/** Counts as running until it settles. */
export async function asWork<T>(work: () => Promise<T>): Promise<T> {
  const end = beginWork()
  try {
    return await work()
  } finally {
    end()
  }
}

/** Whoever reads so late is taken to be gone: a service worker that was ended takes its requests along without a word. */
const patienceMs = 60_000

type Fetch = (request: Request) => Promise<Response>

/** The same `fetch`, each request of which counts as running until its body is read to the end or given up. */
export function asWorkingFetch(fetch: Fetch): Fetch {
  return async (request) => {
    const end = beginWork()
    try {
      const response = await fetch(request)
      if (response.body !== null) return new Response(watched(response.body, end), response)
      end()
      return response
    } catch (error) {
      end()
      throw error
    }
  }
}

function watched(body: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let timer = setTimeout(end, patienceMs)
  const over = () => {
    clearTimeout(timer)
    end()
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(timer)
        try {
          const { done, value } = await reader.read()
          if (done) {
            over()
            controller.close()
            return
          }
          controller.enqueue(value)
          timer = setTimeout(end, patienceMs)
        } catch (error) {
          over()
          controller.error(error)
        }
      },
      cancel(reason) {
        over()
        return reader.cancel(reason)
      },
    },
    // Nothing is read ahead of who asked.
    { highWaterMark: 0 },
  )
}
