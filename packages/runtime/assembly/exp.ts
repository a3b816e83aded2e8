import { madd } from './dot'
import { roundingShift } from './round'

/** e^x, off by at most 2 units in the last place: 2^n times a polynomial on [-ln(2) / 2, ln(2) / 2] (Cephes' coefficients). */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87)), f32x4.splat(88))
  const shifted = f32x4.add(f32x4.mul(bounded, f32x4.splat(1.44269504088896341)), f32x4.splat(roundingShift))
  const n = f32x4.sub(shifted, f32x4.splat(roundingShift))
  // ln(2) in two parts: n times the first one is exact.
  let r = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375)))
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.12194440e-4)))
  let p = f32x4.splat(1.9875691500e-4)
  p = madd(p, r, f32x4.splat(1.3981999507e-3))
  p = madd(p, r, f32x4.splat(8.3334519073e-3))
  p = madd(p, r, f32x4.splat(4.1665795894e-2))
  p = madd(p, r, f32x4.splat(1.6666665459e-1))
  p = madd(p, r, f32x4.splat(5.0000001201e-1))
  p = f32x4.add(madd(f32x4.mul(p, r), r, r), f32x4.splat(1))
  const power = i32x4.shl(i32x4.add(shifted, i32x4.splat(127)), 23)
  return f32x4.mul(p, power)
}

/** x / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function silu(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp(f32x4.neg(x))))
}

/** 0.5 x (1 + tanh(u)), u = sqrt(2 / pi) (x + 0.044715 x^3): x / (1 + e^-2u). */
// @ts-ignore: decorator
@inline
export function geluTanh(x: v128): v128 {
  const cubic = f32x4.mul(f32x4.mul(f32x4.mul(x, x), x), f32x4.splat(0.044715))
  const u = f32x4.mul(f32x4.add(x, cubic), f32x4.splat(-2 * 0.7978845608028654))
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp(u)))
}

/** cap * tanh(x / cap). */
// @ts-ignore: decorator
@inline
export function softCapped(x: v128, cap: v128): v128 {
  // tanh(y) = 1 - 2 / (e^2y + 1)
  const e = exp(f32x4.mul(f32x4.splat(2), f32x4.div(x, cap)))
  return f32x4.mul(cap, f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1)))))
}
