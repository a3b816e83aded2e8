// Sampling, 2 of 4: the lowest score that may be drawn, by top-k, then top-p of what that leaves, and min-p.
// scores: (numRows, vocabSize) and candidates: (numRows, numParts) from sample_scores.wgsl; thresholds: (numRows)
// One workgroup a row, no sorting: 16 thresholds at a time are tried on all tokens, and the bracket shrinks 16 times, until
// it is one f32. Dispatch: (numRows, 1, 1).
override threads: u32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> settings: array<SamplingSettings>;
@group(0) @binding(3) var<storage, read> scores: array<f32>;
@group(0) @binding(4) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(5) var<storage, read_write> thresholds: array<f32>;

// What of a row's scores reaches each of 16 thresholds, a thread.
var<workgroup> sums: array<mat4x4f, threads>;
// Lowest and highest threshold still possible, as ordered bits.
var<workgroup> bracket: vec2u;

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let rowIndex = workgroup.x;
  if (rowIndex >= batch.numRows) { return; }
  let s = settings[rows[rowIndex].sequenceSlot];
  if (s.temperature == 0) { return; }

  var greatest = lowest;
  for (var part = 0u; part < numParts; part++) {
    greatest = max(greatest, candidates[rowIndex * numParts + part].score);
  }
  var threshold = lowest;
  if (s.topK > 0 && s.topK < vocabSize) {
    threshold = highestThreshold(rowIndex, lane, lowest, greatest, f32(s.topK), false);
  }
  if (s.topP < 1) {
    let left = vec4f(threshold);
    let total = measure(rowIndex, lane, mat4x4f(left, left, left, left), greatest, true)[0].x;
    threshold = highestThreshold(rowIndex, lane, threshold, greatest, s.topP * total, true);
  }
  if (s.minP > 0) { threshold = max(threshold, greatest + log(s.minP)); }
  if (lane == 0) { thresholds[rowIndex] = threshold; }
}

// The highest threshold from `low` to `high` such that the scores not below it measure at least `wanted`.
fn highestThreshold(rowIndex: u32, lane: u32, low: f32, high: f32, wanted: f32, byMass: bool) -> f32 {
  if (lane == 0) { bracket = vec2u(orderedBits(low), orderedBits(high)); }
  var b: vec2u;
  loop {
    b = workgroupUniformLoad(&bracket);
    if (b.x >= b.y) { break; }
    let step = (b.y - b.x + 15u) / 16u;
    var tried: mat4x4f;
    for (var i = 0u; i < 4u; i++) {
      for (var j = 0u; j < 4u; j++) { tried[i][j] = fromOrderedBits(min(b.x + step * (i * 4u + j + 1u), b.y)); }
    }
    let measured = measure(rowIndex, lane, tried, high, byMass);
    if (lane == 0) {
      var next = vec2u(b.x, b.y);
      for (var i = 0u; i < 16u; i++) {
        let bits = min(b.x + step * (i + 1u), b.y);
        let sum = measured[i / 4u][i % 4u];
        if (sum == wanted) {
          next = vec2u(bits);
          break;
        }
        if (!(sum > wanted)) {
          next.y = bits - 1u;
          break;
        }
        next.x = bits;
      }
      bracket = next;
    }
  }
  return fromOrderedBits(b.x);
}

// How many of the row's scores reach each of 16 thresholds, or with `byMass` how probable those are together, where the
// greatest score counts 1.
fn measure(rowIndex: u32, lane: u32, tried: mat4x4f, greatest: f32, byMass: bool) -> mat4x4f {
  var a = vec4f();
  var b = vec4f();
  var c = vec4f();
  var d = vec4f();
  for (var token = lane; token < vocabSize; token += threads) {
    let score = scores[rowIndex * vocabSize + token];
    let weight = vec4f(select(1, exp(score - greatest), byMass));
    a += select(vec4f(), weight, vec4f(score) >= tried[0]);
    b += select(vec4f(), weight, vec4f(score) >= tried[1]);
    c += select(vec4f(), weight, vec4f(score) >= tried[2]);
    d += select(vec4f(), weight, vec4f(score) >= tried[3]);
  }
  sums[lane] = mat4x4f(a, b, c, d);
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  workgroupBarrier();
  return sums[0];
}

// Bits of an f32 as an integer that orders as the f32 does.
fn orderedBits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  return select(~bits, bits | 0x80000000u, bits < 0x80000000u);
}

fn fromOrderedBits(ordered: u32) -> f32 {
  return bitcast<f32>(select(~ordered, ordered & 0x7fffffffu, ordered >= 0x80000000u));
}
