/**
 * Adds to each 32-bit lane the dot product of its four signed activations and four unsigned weights, which relaxed SIMD promises for
 * weights up to 127. Without it products are of pairs of halves: linear_pairs.ts.
 */
// @ts-ignore: decorator
@inline
export function dot4(activations: v128, weights: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(activations, weights, sum)
}

/** x * y + z, in one rounding where the machine has it. */
// @ts-ignore: decorator
@inline
export function madd(x: v128, y: v128, z: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, z)
  return f32x4.add(f32x4.mul(x, y), z)
}

/** What 127 * 255 four times over is by `dot4`: 129540 where weights above 127 are taken as they are. */
export function probeDot(): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 0
  return i32x4.extract_lane(dot4(i8x16.splat(127), i8x16.splat(-1), i32x4.splat(0)), 0)
}

/** Four finite halves at `address` as floats: 2^112 moves the exponent to where a float has it, subnormal ones too. */
// @ts-ignore: decorator
@inline
export function loadHalves(address: usize): v128 {
  const bits = v128.load_ext<u16>(address)
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16)
  const magnitude = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13)
  return f32x4.mul(v128.or(sign, magnitude), f32x4.splat(5192296858534827628530496329220096.0))
}

// @ts-ignore: decorator
@inline
export function sumOfLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  )
}

// @ts-ignore: decorator
@inline
export function greatestOfLanes(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 1)),
    max(f32x4.extract_lane(x, 2), f32x4.extract_lane(x, 3)),
  )
}
