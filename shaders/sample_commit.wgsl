// Sampling, 4 of 4: the best token of all parts becomes the row's next token, at the next position, and is counted, so that
// another step needs nothing from the host.
// candidates: (numRows, numParts); sampled: (numRows). One workgroup a row. Dispatch: (numRows, 1, 1).
override threads: u32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read_write> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> candidates: array<Candidate>;
@group(0) @binding(3) var<storage, read_write> tokenCounts: array<u32>;
@group(0) @binding(4) var<storage, read_write> sampled: array<u32>;

var<workgroup> bests: array<Candidate, threads>;

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let rowIndex = workgroup.x;
  if (rowIndex >= batch.numRows) { return; }
  var best = Candidate(lowest, noToken);
  for (var part = lane; part < numParts; part += threads) {
    best = better(best, candidates[rowIndex * numParts + part]);
  }
  bests[lane] = best;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { bests[lane] = better(bests[lane], bests[lane + half]); }
  }
  if (lane > 0u) { return; }

  // Without a single number among the logits there is no best, which the host is told; the row goes on with a token that exists.
  sampled[rowIndex] = bests[0].token;
  let token = select(bests[0].token, 0u, bests[0].token == noToken);
  tokenCounts[rows[rowIndex].sequenceSlot * vocabSize + token] += 1u;
  rows[rowIndex].token = token;
  rows[rowIndex].position += 1u;
}
