import type { Feeds, Tensor, TensorData, TensorFeed, Tensors } from '../onnx-protocol.ts'

export interface BatchOptions {
  /** Rows of one run, at most; 1 joins none. */
  readonly maxBatch: number
  /** How long a row waits for others. */
  readonly maxWaitMs: number
}

type Run = (feeds: Feeds) => Promise<Tensors>

interface Waiting {
  readonly feeds: Feeds
  readonly resolve: (tensors: Tensors) => void
  readonly reject: (error: unknown) => void
}

/**
 * Joins requests of one row each into runs of several: along dimension 0, where all else of their shapes is the same, and
 * splits the results again. Requests of other shapes, and those whose model turns out to join its rows, run alone.
 */
export function createBatching(run: Run, { maxBatch, maxWaitMs }: BatchOptions): Run {
  const groups = new Map<string, { rows: Waiting[]; timer: ReturnType<typeof setTimeout> }>()
  /** Until a run gave results that are not one a row. */
  let canSplit = true

  function flush(key: string): void {
    const group = groups.get(key)
    if (group === undefined) return
    groups.delete(key)
    clearTimeout(group.timer)
    void runRows(group.rows)
  }

  async function runRows(rows: readonly Waiting[]): Promise<void> {
    if (rows.length > 1 && canSplit) {
      try {
        const results = split(await run(joined(rows.map(({ feeds }) => feeds))), rows.length)
        if (results !== undefined) {
          for (const [index, { resolve }] of rows.entries()) resolve(results[index]!)
          return
        }
        canSplit = false
      } catch {
        // Whose fault it was comes out when each runs alone.
      }
    }
    for (const { feeds, resolve, reject } of rows) await run(feeds).then(resolve, reject)
  }

  return (feeds) => {
    const key = canSplit && maxBatch > 1 ? rowShape(feeds) : undefined
    if (key === undefined) return run(feeds)
    return new Promise((resolve, reject) => {
      let group = groups.get(key)
      if (group === undefined) {
        group = { rows: [], timer: setTimeout(() => flush(key), maxWaitMs) }
        groups.set(key, group)
      }
      group.rows.push({ feeds, resolve, reject })
      if (group.rows.length >= maxBatch) flush(key)
    })
  }
}

/** What requests must share to be joined; undefined for one that is not a single row. */
function rowShape(feeds: Feeds): string | undefined {
  const entries = Object.entries(feeds).sort(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0 || entries.some(([, { dims }]) => dims[0] !== 1)) return undefined
  return JSON.stringify(entries.map(([name, { dims }]) => [name, dims]))
}

function joined(rows: readonly Feeds[]): Feeds {
  return Object.fromEntries(
    Object.entries(rows[0]!).map(([name, first]): [string, TensorFeed] => [
      name,
      {
        ...first,
        dims: [rows.length, ...first.dims.slice(1)],
        data: concatenated(rows.map((feeds) => feeds[name]!.data)),
      },
    ]),
  )
}

function concatenated(parts: readonly TensorData[]): TensorData {
  const [first] = parts
  if (!ArrayBuffer.isView(first)) return parts.flatMap((part) => part as readonly string[])
  const typed = parts as readonly Float32Array[]
  // Every part is an array of the first one's kind.
  const Typed = first.constructor as Float32ArrayConstructor
  const result = new Typed(typed.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of typed) {
    result.set(part, offset)
    offset += part.length
  }
  return result
}

/** One result a row; undefined where the results are not rows. */
function split(results: Tensors, numRows: number): readonly Tensors[] | undefined {
  const entries = Object.entries(results)
  if (entries.some(([, { dims }]) => dims[0] !== numRows)) return undefined
  return Array.from({ length: numRows }, (_, row) =>
    Object.fromEntries(
      entries.map(([name, { type, dims, data }]): [string, Tensor] => {
        const length = data.length / numRows
        // A copy: each row's bytes go to the page on their own.
        const part = data.slice(row * length, (row + 1) * length)
        return [name, { type, dims: [1, ...dims.slice(1)], data: part }]
      }),
    ),
  )
}
