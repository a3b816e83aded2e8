import { softCapped } from './exp'

/** The first of the greatest logits; -1 where none is a number. */
export function argmax(logits: usize, count: i32): i32 {
  let best: f32 = -Infinity
  let at = -1
  const whole = count & ~15
  let i = 0
  for (; i < whole; i += 16) {
    const p = logits + (<usize>i << 2)
    const most = f32x4.pmax(
      f32x4.pmax(v128.load(p), v128.load(p, 16)),
      f32x4.pmax(v128.load(p, 32), v128.load(p, 48)),
    )
    if (!v128.any_true(f32x4.gt(most, f32x4.splat(best)))) continue
    for (let j = i; j < i + 16; j++) {
      const logit = load<f32>(logits + (<usize>j << 2))
      if (logit > best) {
        best = logit
        at = j
      }
    }
  }
  for (; i < count; i++) {
    const logit = load<f32>(logits + (<usize>i << 2))
    if (logit > best) {
      best = logit
      at = i
    }
  }
  return at
}

/** logits = cap(scale * logits), in place, whole vectors; `cap` 0 is none. */
export function scaleLogits(logits: usize, count: i32, scale: f32, cap: f32): void {
  const end = logits + (<usize>((count + 3) & ~3) << 2)
  for (let p = logits; p < end; p += 16) {
    const scaled = f32x4.mul(v128.load(p), f32x4.splat(scale))
    v128.store(p, cap > 0 ? softCapped(scaled, f32x4.splat(cap)) : scaled)
  }
}
