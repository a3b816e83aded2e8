/**
 * 1.5 * 2^23: a float that has it added, below 2^22 in size, is the nearest whole number, ties to even, and has that number in
 * its lowest bits. Conversion by instruction saturates, which is ten of them on x64.
 */
export const roundingShift: f32 = 12582912

/** The nearest whole numbers of x * factor, as i32. */
// @ts-ignore: decorator
@inline
export function wholeNumbers(x: v128, factor: v128): v128 {
  const shifted = f32x4.add(f32x4.mul(x, factor), f32x4.splat(roundingShift))
  return i32x4.sub(shifted, i32x4.splat(0x4b400000))
}
