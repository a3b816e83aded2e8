const scratch = new DataView(new ArrayBuffer(4))

/** The nearest half-precision number's bits, ties to even; past 65,504 infinity (IEEE 754-2019, section 3.6). */
export function float16Bits(value: number): number {
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fff_ffff
  if (magnitude > 0x7f80_0000) return sign | 0x7e00
  // Halfway between the largest number and the next one.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00
  // Below the normal numbers one unit is 2^-24, and rounding to integers is what adding 2^23 to a single does.
  if (magnitude < 0x3880_0000) return sign | (Math.fround(Math.abs(value) * 2 ** 24 + 2 ** 23) - 2 ** 23)
  return sign | ((magnitude - 0x3800_0000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
