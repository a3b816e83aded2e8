import { uniform } from '../sampling.ts'

/** A matrix as ONNX Runtime multiplies with it; its bytes are the model's external data. */
export type LinearMatrix = F32Matrix | Int8Matrix

interface MatrixSize {
  readonly outputSize: number
  readonly inputSize: number
}

export interface F32Matrix extends MatrixSize {
  readonly format: 'f32'
  /** (outputSize, inputSize) f32 */
  readonly data: Uint8Array
}

export interface Int8Matrix extends MatrixSize {
  readonly format: 'int8'
  /** (inputSize, outputSize) int8: DynamicQuantizeMatMul takes it the other way round. */
  readonly data: Uint8Array
  /** (outputSize) f32 */
  readonly scales: Uint8Array
}

/** Squares of what a product is and of how far int8 is off, summed over rows. */
export interface ErrorSums {
  signal: number
  noise: number
}

/** A matrix that fills as its file arrives. */
export interface MatrixSink {
  /** `values` of whole rows or parts of them, row-major, from value number `start` on; in order within a row. */
  write(values: Float32Array, start: number): void
  finish(): LinearMatrix
}

export function f32Sink(outputSize: number, inputSize: number): MatrixSink {
  const data = new Float32Array(outputSize * inputSize)
  return {
    write: (values, start) => data.set(values, start),
    finish: () => ({ format: 'f32', outputSize, inputSize, data: new Uint8Array(data.buffer) }),
  }
}

/** Rows that are transposed together: one by one, every value would be written to a cache line of its own. */
const tileRows = 64

/** Symmetric, a scale for each row: round(w / scale) with scale = max |w| / 127. Every 16th row is measured into `errors`. */
export function int8Sink(outputSize: number, inputSize: number, errors: ErrorSums): MatrixSink {
  const data = new Int8Array(outputSize * inputSize)
  const scales = new Float32Array(outputSize)
  const row = new Float32Array(inputSize)
  /** (inputSize, tileRows): `tileCount` rows from `tileStart` on, not yet in `data`. */
  const tile = new Int8Array(inputSize * tileRows)
  let tileStart = 0
  let tileCount = 0
  const probe = probeOf(inputSize)
  const rounded = asDynamicallyQuantised(probe)
  const rest = asDynamicallyQuantised(probe.map((value, i) => value - rounded[i]!))
  const quantised = rounded.map((value, i) => value + rest[i]!)

  function flushTile(): void {
    for (let i = 0; i < inputSize; i++) {
      const from = i * tileRows
      const to = i * outputSize + tileStart
      for (let row = 0; row < tileCount; row++) data[to + row] = tile[from + row]!
    }
    tileCount = 0
  }

  function quantiseRow(index: number): void {
    let largest = 0
    for (const weight of row) largest = Math.max(largest, Math.abs(weight))
    const scale = largest / 127 || 1
    scales[index] = scale
    if (tileCount === tileRows || index !== tileStart + tileCount) flushTile()
    if (tileCount === 0) tileStart = index
    const column = tileCount++
    let exact = 0
    let approximate = 0
    for (let i = 0; i < inputSize; i++) {
      const q = Math.round(row[i]! / scale)
      tile[i * tileRows + column] = q
      exact += row[i]! * probe[i]!
      approximate += q * scale * quantised[i]!
    }
    if (index % 16 !== 0) return
    errors.signal += exact * exact
    errors.noise += (exact - approximate) ** 2
  }

  return {
    write(values, start) {
      for (let done = 0; done < values.length; ) {
        const column = (start + done) % inputSize
        const count = Math.min(inputSize - column, values.length - done)
        row.set(values.subarray(done, done + count), column)
        if (column + count === inputSize) quantiseRow(Math.floor((start + done) / inputSize))
        done += count
      }
    },
    finish() {
      flushTile()
      return {
        format: 'int8',
        outputSize,
        inputSize,
        data: new Uint8Array(data.buffer),
        scales: new Uint8Array(scales.buffer),
      }
    },
  }
}

/** Normally distributed (Box and Muller 1958), as activations behind a norm roughly are, outliers apart. */
function probeOf(size: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(1, 0, 2 * i)))
    return radius * Math.cos(2 * Math.PI * uniform(1, 0, 2 * i + 1))
  })
}

/** What DynamicQuantizeLinear makes of activations: 256 levels from the least, or 0, to the greatest, or 0. */
function asDynamicallyQuantised(x: Float32Array): Float32Array {
  const least = Math.min(0, ...x)
  const scale = (Math.max(0, ...x) - least) / 255 || 1
  const zero = Math.round(-least / scale)
  return x.map((value) => (Math.max(0, Math.min(255, Math.round(value / scale) + zero)) - zero) * scale)
}
