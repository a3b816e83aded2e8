// Sampling, 3 of 4: each part's best token after Gumbel noise, among those that reach the threshold. The best of all parts
// is a draw from the softmax of what is left. Greedy rows keep the candidates of sample_scores.wgsl.
// scores: (numRows, vocabSize), thresholds: (numRows), candidates: (numRows, numParts). Dispatch: (numParts / threads, numRows, 1).
override threads: u32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> settings: array<SamplingSettings>;
@group(0) @binding(3) var<storage, read> scores: array<f32>;
@group(0) @binding(4) var<storage, read> thresholds: array<f32>;
@group(0) @binding(5) var<storage, read_write> candidates: array<Candidate>;

@compute @workgroup_size(threads)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let part = id.x;
  let rowIndex = id.y;
  if (part >= numParts || rowIndex >= batch.numRows) { return; }
  let row = rows[rowIndex];
  let s = settings[row.sequenceSlot];
  if (s.temperature == 0) { return; }

  // The new token's position is one after its row's.
  let rowHash = pcg(row.position + 1u + pcg(s.seed));
  let threshold = thresholds[rowIndex];
  var best = Candidate(lowest, noToken);
  for (var token = part; token < vocabSize; token += numParts) {
    let score = scores[rowIndex * vocabSize + token];
    // What the mask took away scores `lowest`.
    if (score >= threshold && score > lowest) {
      best = better(best, Candidate(score + gumbelNoise(pcg(token + rowHash)), token));
    }
  }
  candidates[rowIndex * numParts + part] = best;
}
