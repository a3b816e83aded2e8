import { BrasaError } from '../errors.ts'
import type { ByteSource } from '../storage/byte-source.ts'

const firstWindow = 256 * 1024
/** A vocabulary of 262,144 tokens takes about 10 MiB; more than this is an attack or not a header. */
const maxHeaderBytes = 256 * 1024 * 1024

/** Thrown by the synchronous readers when the window ends before the value does; `entry` grows the window and tries again. */
class WindowEnds extends Error {
  readonly end: number
  constructor(end: number) {
    super('window ends')
    this.end = end
  }
}

/** Reads little-endian values from the start of a source, fetching it in doubling ranges. */
export interface HeaderCursor {
  readonly size: number
  readonly offset: number
  /** Runs `read` with every byte it needs in memory: it may run several times, from the same offset. */
  entry<T>(read: () => T): Promise<T>
  /** Throws unless `count` items of at least `itemBytes` each fit between here and the file's end. */
  expect(count: number, itemBytes: number, what: string): void
  u8(): number
  i8(): number
  u16(): number
  i16(): number
  u32(): number
  i32(): number
  f32(): number
  f64(): number
  u64(): bigint
  i64(): bigint
  /** A u64 that is used as a count, length or offset. */
  size64(what: string): number
  string(what: string): string
}

export function malformed(message: string, details = {}, cause?: unknown): BrasaError {
  return new BrasaError('malformed_model', {
    message: `${message} The file is damaged or was written wrongly: download or convert it again.`,
    details,
    cause,
  })
}

export function truncated(message: string, details = {}): BrasaError {
  return new BrasaError('truncated_model', {
    message: `${message} The download is incomplete: fetch the file again.`,
    details,
  })
}

/**
 * A cursor at the start of `source`.
 * @throws from its readers: BrasaError `truncated_model` past the file's end, `malformed_model` past what a header may be
 */
export function headerCursor(source: ByteSource, signal?: AbortSignal): HeaderCursor {
  // A byte-order mark is a token like any other: do not let the decoder eat it.
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  let window = new Uint8Array(0)
  let view = new DataView(window.buffer)
  let offset = 0

  async function grow(end: number): Promise<void> {
    const length = Math.min(source.size, Math.max(end, window.length * 2, firstWindow))
    const tail = await source.read(window.length, length - window.length, signal)
    const grown = new Uint8Array(length)
    grown.set(window)
    grown.set(tail, window.length)
    window = grown
    view = new DataView(grown.buffer)
  }

  /** Moves past `length` bytes and returns where they start. */
  function take(length: number): number {
    const start = offset
    const end = start + length
    if (end > window.length) {
      if (end > source.size) {
        throw truncated(`The header needs ${end} bytes and the file has ${source.size}.`, {
          size: source.size,
        })
      }
      if (end > maxHeaderBytes) {
        throw malformed(`The header is longer than ${maxHeaderBytes} bytes.`, { maxHeaderBytes })
      }
      throw new WindowEnds(end)
    }
    offset = end
    return start
  }

  function size64(what: string): number {
    const value = view.getBigUint64(take(8), true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      throw malformed(`${what} is ${value}, which no file can hold.`)
    return Number(value)
  }

  return {
    size: source.size,
    get offset() {
      return offset
    },
    async entry(read) {
      const start = offset
      for (;;) {
        try {
          return read()
        } catch (error) {
          if (!(error instanceof WindowEnds)) throw error
          await grow(error.end)
          offset = start
        }
      }
    },
    expect(count, itemBytes, what) {
      const left = source.size - offset
      if (count > left / itemBytes) {
        throw truncated(`${what} has ${count} items; only ${left} bytes of the file are left.`, {
          count,
          size: source.size,
        })
      }
    },
    u8: () => view.getUint8(take(1)),
    i8: () => view.getInt8(take(1)),
    u16: () => view.getUint16(take(2), true),
    i16: () => view.getInt16(take(2), true),
    u32: () => view.getUint32(take(4), true),
    i32: () => view.getInt32(take(4), true),
    f32: () => view.getFloat32(take(4), true),
    f64: () => view.getFloat64(take(8), true),
    u64: () => view.getBigUint64(take(8), true),
    i64: () => view.getBigInt64(take(8), true),
    size64,
    string(what) {
      const length = size64(`The length of ${what}`)
      const start = take(length)
      return utf8.decode(window.subarray(start, start + length))
    },
  }
}
