/**
 * Adds to each 32-bit lane the dot product of its four signed activations and four unsigned weights.
 * Relaxed SIMD promises it for weights up to 127; plain SIMD computes it for every byte.
 */
// @ts-ignore: decorator
@inline
export function dot4(activations: v128, weights: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(activations, weights, sum)
  // Bytes of even and odd places, as halves.
  const even = i32x4.dot_i16x8_s(
    i16x8.shr_s(i16x8.shl(activations, 8), 8),
    v128.and(weights, i16x8.splat(0xff)),
  )
  const odd = i32x4.dot_i16x8_s(i16x8.shr_s(activations, 8), i16x8.shr_u(weights, 8))
  return i32x4.add(sum, i32x4.add(even, odd))
}

/** x * y + z, in one rounding where the machine has it. */
// @ts-ignore: decorator
@inline
export function madd(x: v128, y: v128, z: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(x, y, z)
  return f32x4.add(f32x4.mul(x, y), z)
}

/** 127 * 255 four times over: 129540 where `dot4` takes weights above 127 as they are, and does not saturate. */
export function probeDot(): i32 {
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
