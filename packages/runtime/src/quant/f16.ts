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

const scratch = new DataView(new ArrayBuffer(4))

/** The bits of a number that a half holds exactly; undefined for others. */
export function f16Bits(value: number): number | undefined {
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const exponent = ((bits >>> 23) & 0xff) - 112
  const fraction = bits & 0x7fffff
  const half =
    exponent > 0
      ? sign | (exponent << 10) | (fraction >>> 13)
      : exponent > -10
        ? sign | ((fraction | 0x800000) >>> (14 - exponent))
        : sign
  return exponent < 31 && f16ToNumber(half) === value ? half : undefined
}
