// Sampling, 2 of 2: the lowest score that may be drawn, by top-k, then top-p of what that leaves, and min-p; then the best token
// after Gumbel noise among those that reach it, which is a draw from the softmax of what is left. Greedy rows take the best
// candidate of sample_scores.wgsl. It becomes the row's next token, at the next position, and is counted, so that another step
// needs nothing from the host.
// scores: (numRows, vocabSize) and candidates: (numRows, numParts) from sample_scores.wgsl; sampled: (numRows)
// One workgroup a row, no sorting: 16 thresholds at a time are tried on all tokens, and the bracket shrinks 16 times, until
// it is one f32. Dispatch: (numRows, 1, 1). Put after common/batch.wgsl, common/sampling.wgsl and common/random.wgsl.
override threads: u32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read_write> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> settings: array<SamplingSettings>;
@group(0) @binding(3) var<storage, read> scores: array<f32>;
@group(0) @binding(4) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(5) var<storage, read_write> tokenCounts: array<u32>;
@group(0) @binding(6) var<storage, read_write> sampled: array<u32>;

// For every thread the same, which only workgroup memory can promise of what this kernel also writes.
var<workgroup> ownRow: BatchRow;
// What of a row's scores reaches each of 16 thresholds, a thread.
var<workgroup> sums: array<mat4x4f, threads>;
// Lowest and highest threshold still possible, as ordered bits.
var<workgroup> bracket: vec2u;
var<workgroup> bests: array<Candidate, threads>;

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let rowIndex = workgroup.x;
  if (rowIndex >= batch.numRows) { return; }
  if (lane == 0) { ownRow = rows[rowIndex]; }
  let row = workgroupUniformLoad(&ownRow);
  let s = settings[row.sequenceSlot];

  bests[lane] = bestCandidate(rowIndex, lane);
  if (s.temperature != 0) {
    let threshold = lowestDrawn(rowIndex, lane, s);
    // The new token's position is one after its row's.
    bests[lane] = drawn(rowIndex, lane, threshold, pcg(row.position + 1u + pcg(s.seed)));
  }
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { bests[lane] = better(bests[lane], bests[lane + half]); }
  }
  if (lane > 0u) { return; }

  // Without a single number among the logits there is no best, which the host is told; the row goes on with a token that exists.
  sampled[rowIndex] = bests[0].token;
  let token = select(bests[0].token, 0u, bests[0].token == noToken);
  tokenCounts[row.sequenceSlot * vocabSize + token] += 1u;
  rows[rowIndex].token = token;
  rows[rowIndex].position += 1u;
}

fn bestCandidate(rowIndex: u32, lane: u32) -> Candidate {
  var best = Candidate(lowest, noToken);
  for (var part = lane; part < numParts; part += threads) {
    best = better(best, candidates[rowIndex * numParts + part]);
  }
  return best;
}

fn drawn(rowIndex: u32, lane: u32, threshold: f32, rowHash: u32) -> Candidate {
  var best = Candidate(lowest, noToken);
  for (var token = lane; token < vocabSize; token += threads) {
    let score = scores[rowIndex * vocabSize + token];
    // What the mask took away scores `lowest`.
    if (score >= threshold && score > lowest) {
      best = better(best, Candidate(score + gumbelNoise(pcg(token + rowHash)), token));
    }
  }
  return best;
}

fn lowestDrawn(rowIndex: u32, lane: u32, s: SamplingSettings) -> f32 {
  var greatest = lowest;
  for (var part = 0u; part < numParts; part++) {
    greatest = max(greatest, candidates[rowIndex * numParts + part].score);
  }
  var threshold = lowest;
  // By count, then by mass, in one place: calls are written out where they stand, and compiling this takes long.
  for (var limit = 0u; limit < 2u; limit++) {
    let byMass = limit == 1u;
    let isSet = select(s.topK > 0 && s.topK < vocabSize, s.topP < 1, byMass);
    if (isSet) { threshold = highestThreshold(rowIndex, lane, threshold, greatest, s, byMass); }
  }
  if (s.minP > 0) { threshold = max(threshold, greatest + log(s.minP)); }
  return threshold;
}

// The highest threshold from `low` to `high` such that the scores not below it are at least topK, or with `byMass` have at least
// topP of the mass of those not below `low`, which is measured first.
fn highestThreshold(rowIndex: u32, lane: u32, low: f32, high: f32, s: SamplingSettings, byMass: bool) -> f32 {
  if (lane == 0) { bracket = vec2u(orderedBits(low), orderedBits(high)); }
  var wanted = f32(s.topK);
  var measuresAll = byMass;
  var b: vec2u;
  loop {
    b = workgroupUniformLoad(&bracket);
    if (b.x >= b.y && !measuresAll) { break; }
    let step = select((b.y - b.x + 15u) / 16u, 0u, measuresAll);
    var tried: mat4x4f;
    for (var i = 0u; i < 4u; i++) {
      for (var j = 0u; j < 4u; j++) { tried[i][j] = fromOrderedBits(min(b.x + step * (i * 4u + j + 1u), b.y)); }
    }
    let measured = measure(rowIndex, lane, tried, high, byMass);
    if (measuresAll) {
      wanted = s.topP * measured[0].x;
      measuresAll = false;
      continue;
    }
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
