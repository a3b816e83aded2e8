/** Value of a half-precision float, IEEE 754 binary16. Every one is exact in f32. */
export function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

let table: Float32Array<ArrayBuffer> | undefined

/** All 65,536 values by their bits: what repacking looks scales up in. Made at the first call. */
export function f16Table(): Float32Array<ArrayBuffer> {
  table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => f16ToNumber(bits))
  return table
}

const f32 = new Float32Array(1)
const f32Bits = new Uint32Array(f32.buffer)

/** Bits of the nearest finite half, ties to even; what is too large becomes the largest, 65,504. */
export function f16FromNumber(value: number): number {
  const size = Math.abs(value)
  const sign = value < 0 ? 0x8000 : 0
  if (size >= 65504) return sign | 0x7bff
  // The exponent of the unit in the last place: never below that of the subnormal ones.
  f32[0] = size
  const exponent = Math.max((f32Bits[0]! >>> 23) - 127, -14)
  const scaled = size * 2 ** (10 - exponent)
  const rounded = roundHalfToEven(scaled)
  // 2048 of a unit are 1024 of the next, and adding the exponent carries by itself. Subnormal ones have no implicit 1024.
  return sign | (((exponent + 14) << 10) + rounded)
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
