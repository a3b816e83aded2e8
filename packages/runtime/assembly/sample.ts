import { exp, softCapped } from './exp'

// The rules of src/backends/sampling.ts, which are every backend's, without sorting the vocabulary.

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

/** to = logits where a token's bit in `mask` is 1, else -Infinity: of token t, bit t & 31 of word t >> 5. Whole vectors. */
export function maskLogits(logits: usize, mask: usize, to: usize, count: i32): void {
  const lanes = i32x4(1, 2, 4, 8)
  const nothing = f32x4.splat(-Infinity)
  for (let token = 0; token < count; token += 4) {
    const bits = load<u32>(mask + (<usize>(token >> 5) << 2)) >> (token & 31)
    const isAllowed = i32x4.ne(v128.and(i32x4.splat(bits), lanes), i32x4.splat(0))
    const at = <usize>token << 2
    v128.store(to + at, v128.bitselect(v128.load(logits + at), nothing, isAllowed))
  }
}

/** logits = cap(scale * logits), in place, whole vectors; `cap` 0 is none. */
export function scaleLogits(logits: usize, count: i32, scale: f32, cap: f32): void {
  const end = logits + (<usize>((count + 3) & ~3) << 2)
  for (let p = logits; p < end; p += 16) {
    const scaled = f32x4.mul(v128.load(p), f32x4.splat(scale))
    v128.store(p, cap > 0 ? softCapped(scaled, f32x4.splat(cap)) : scaled)
  }
}

/**
 * Repetition penalty (Keskar et al. 2019, section 4.1), then OpenAI's frequency and presence penalties, in place.
 * seen: (token i32, times in the answer i32) each
 */
export function penalise(
  logits: usize,
  seen: usize,
  numSeen: i32,
  repetition: f32,
  frequency: f32,
  presence: f32,
): void {
  for (let index = 0; index < numSeen; index++) {
    const entry = seen + (<usize>index << 3)
    const count = load<i32>(entry, 4)
    const at = logits + (<usize>load<i32>(entry) << 2)
    const logit = load<f32>(at)
    const repeated = logit > 0 ? logit / repetition : logit * repetition
    store<f32>(at, repeated - frequency * <f32>count - (count > 0 ? presence : 0))
  }
}

/** Buckets of scores by how far they are below the greatest: the last one takes all that are further. */
const numBuckets: i32 = 2048
const bucketsPerNat: f32 = 64
/** Counts i32 (numBuckets), then masses f64 (numBuckets), then as many floats as there are scores. */
const massesAt: usize = <usize>numBuckets << 2
const gatheredAt: usize = massesAt + (<usize>numBuckets << 3)

/** Bytes of `scratch` for `draw`. */
export function drawScratchBytes(count: i32): usize {
  return gatheredAt + (<usize>count << 2)
}

/**
 * A draw by the Gumbel-max trick from the scores (logit / temperature) that pass the filters; -1 where none is a number.
 * @param lowest ln(minP), or -Infinity
 * @param base pcg(position + pcg(seed))
 */
export function draw(
  scores: usize,
  count: i32,
  topK: i32,
  topP: f64,
  lowest: f32,
  base: u32,
  scratch: usize,
): i32 {
  const first = argmax(scores, count)
  if (first < 0) return -1
  const greatest = load<f32>(scores + (<usize>first << 2))
  let threshold: f32 = -Infinity
  if ((topK > 0 && topK < count) || topP < 1) {
    threshold = filterThreshold(scores, count, greatest, topK, topP, scratch)
  }
  threshold = max(threshold, greatest + lowest)
  return gumbelArgmax(scores, count, threshold, base)
}

// @ts-ignore: decorator
@inline
function bucketOf(score: f32, greatest: f32): i32 {
  const place = (greatest - score) * bucketsPerNat
  // Not a number, or too far.
  return place < <f32>(numBuckets - 1) ? <i32>place : numBuckets - 1
}

/** The lowest score that top-k and top-p leave. */
function filterThreshold(
  scores: usize,
  count: i32,
  greatest: f32,
  topK: i32,
  topP: f64,
  scratch: usize,
): f32 {
  let threshold: f32 = -Infinity
  if (topK > 0 && topK < count) {
    fillBuckets(scores, count, greatest, threshold, scratch)
    let before = 0
    let bucket = 0
    while (before + load<i32>(scratch + (<usize>bucket << 2)) < topK) {
      before += load<i32>(scratch + (<usize>bucket << 2))
      bucket++
    }
    const numGathered = gather(scores, count, greatest, threshold, bucket, scratch)
    sortDescending(scratch + gatheredAt, numGathered)
    threshold = load<f32>(scratch + gatheredAt + (<usize>(topK - before - 1) << 2))
  }
  if (topP < 1) {
    fillBuckets(scores, count, greatest, threshold, scratch)
    let total: f64 = 0
    for (let bucket = 0; bucket < numBuckets; bucket++) {
      total += load<f64>(scratch + massesAt + (<usize>bucket << 3))
    }
    const wanted = topP * total
    let mass: f64 = 0
    let bucket = 0
    while (bucket < numBuckets - 1 && mass + load<f64>(scratch + massesAt + (<usize>bucket << 3)) < wanted) {
      mass += load<f64>(scratch + massesAt + (<usize>bucket << 3))
      bucket++
    }
    const numGathered = gather(scores, count, greatest, threshold, bucket, scratch)
    sortDescending(scratch + gatheredAt, numGathered)
    for (let index = 0; index < numGathered; index++) {
      const score = load<f32>(scratch + gatheredAt + (<usize>index << 2))
      mass += Math.exp(<f64>score - <f64>greatest)
      threshold = score
      if (mass >= wanted) break
    }
  }
  return threshold
}

/** How many scores from `threshold` on, and how much probability relative to the greatest, each bucket has. */
function fillBuckets(scores: usize, count: i32, greatest: f32, threshold: f32, scratch: usize): void {
  memory.fill(scratch, 0, gatheredAt)
  for (let i = 0; i < count; i++) {
    const score = load<f32>(scores + (<usize>i << 2))
    if (!(score >= threshold)) continue
    const bucket = <usize>bucketOf(score, greatest)
    const counter = scratch + (bucket << 2)
    store<i32>(counter, load<i32>(counter) + 1)
    const mass = scratch + massesAt + (bucket << 3)
    store<f64>(mass, load<f64>(mass) + <f64>f32x4.extract_lane(exp(f32x4.splat(score - greatest)), 0))
  }
}

function gather(
  scores: usize,
  count: i32,
  greatest: f32,
  threshold: f32,
  bucket: i32,
  scratch: usize,
): i32 {
  let numGathered = 0
  for (let i = 0; i < count; i++) {
    const score = load<f32>(scores + (<usize>i << 2))
    if (!(score >= threshold) || bucketOf(score, greatest) != bucket) continue
    store<f32>(scratch + gatheredAt + (<usize>numGathered << 2), score)
    numGathered++
  }
  return numGathered
}

/** Heapsort (Williams 1964), the smallest at the root: no input makes it slow. */
function sortDescending(at: usize, count: i32): void {
  for (let root = (count >> 1) - 1; root >= 0; root--) sink(at, root, count)
  for (let end = count - 1; end > 0; end--) {
    const smallest = load<f32>(at)
    store<f32>(at, load<f32>(at + (<usize>end << 2)))
    store<f32>(at + (<usize>end << 2), smallest)
    sink(at, 0, end)
  }
}

function sink(at: usize, root: i32, count: i32): void {
  const value = load<f32>(at + (<usize>root << 2))
  let hole = root
  while (true) {
    let child = 2 * hole + 1
    if (child >= count) break
    if (child + 1 < count && load<f32>(at + (<usize>child << 2), 4) < load<f32>(at + (<usize>child << 2))) child++
    const smaller = load<f32>(at + (<usize>child << 2))
    if (smaller >= value) break
    store<f32>(at + (<usize>hole << 2), smaller)
    hole = child
  }
  store<f32>(at + (<usize>hole << 2), value)
}

/** The argmax of score + noise over the scores from `threshold` on; ties go to the lowest token. */
function gumbelArgmax(scores: usize, count: i32, threshold: f32, base: u32): i32 {
  let best = -Infinity
  let at = -1
  for (let token = 0; token < count; token++) {
    const score = load<f32>(scores + (<usize>token << 2))
    if (!(score >= threshold)) continue
    const u = (<f64>(pcg(<u32>token + base) >>> 8) + 0.5) * (1.0 / 16777216.0)
    // Noise is at most -ln(1 - u) above 0, so that most tokens are out without a logarithm.
    if (<f64>score + noiseBound(u) < best) continue
    const noisy = <f64>score - Math.log(-Math.log(u))
    if (noisy > best) {
      best = noisy
      at = token
    }
  }
  return at
}

/** At least -ln(-ln(u)): -ln(u) > 1 - u, and -ln(x) < 0.6932 (e + 1) for x = m 2^-e with 1 <= m < 2. */
// @ts-ignore: decorator
@inline
function noiseBound(u: f64): f64 {
  const exponent = <i32>((reinterpret<u64>(1 - u) >> 52) & 0x7ff) - 1023
  return 0.6932 * <f64>-exponent
}

/** A 32-bit hash: one step of PCG-RXS-M-XS (O'Neill 2014), as Jarzynski & Olano 2020 use it on GPUs. */
export function pcg(value: u32): u32 {
  const state = value * 747796405 + 2891336453
  const word = ((state >> ((state >> 28) + 4)) ^ state) * 277803737
  return (word >> 22) ^ word
}
