// Sampling, 1 of 2: mask, bias, penalties and temperature, and each part's best token.
// logits, scores: (numRows, vocabSize); tokenCounts: (sequence slots, vocabSize), bit 31 for tokens of the prompt, the rest
// counts them in the answer; logitBias: (sequence slots, vocabSize), read where settings say so; masks: (sequence slots, 1 + words),
// whether there is one and a bit a token; candidates: (numRows, numParts). Logits stay as they are, greedy rows leave no scores.
// Dispatch: (numParts / threads, numRows, 1).
override threads: u32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> settings: array<SamplingSettings>;
@group(0) @binding(3) var<storage, read> logits: array<f32>;
@group(0) @binding(4) var<storage, read> tokenCounts: array<u32>;
@group(0) @binding(5) var<storage, read> logitBias: array<f32>;
@group(0) @binding(6) var<storage, read> masks: array<u32>;
@group(0) @binding(7) var<storage, read_write> scores: array<f32>;
@group(0) @binding(8) var<storage, read_write> candidates: array<Candidate>;

@compute @workgroup_size(threads)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let part = id.x;
  let rowIndex = id.y;
  if (part >= numParts || rowIndex >= batch.numRows) { return; }
  let slot = rows[rowIndex].sequenceSlot;
  let s = settings[slot];
  let greedy = s.temperature == 0;
  let inverseTemperature = 1 / select(s.temperature, 1, greedy);

  let mask = slot * (1u + (vocabSize + 31u) / 32u);
  let isMasked = masks[mask] != 0;

  var best = Candidate(lowest, noToken);
  for (var token = part; token < vocabSize; token += numParts) {
    if (isMasked && ((masks[mask + 1u + token / 32u] >> (token % 32u)) & 1u) == 0u) {
      if (!greedy) { scores[rowIndex * vocabSize + token] = lowest; }
      continue;
    }
    var score = logits[rowIndex * vocabSize + token];
    if (s.isBiased != 0) { score += logitBias[slot * vocabSize + token]; }
    let occurrences = tokenCounts[slot * vocabSize + token];
    if (occurrences != 0) {
      let answerCount = f32(occurrences & 0x7fffffffu);
      score = select(score * s.repetitionPenalty, score / s.repetitionPenalty, score > 0);
      score -= s.frequencyPenalty * answerCount + s.presencePenalty * min(answerCount, 1);
    }
    score *= inverseTemperature;
    if (!greedy) { scores[rowIndex * vocabSize + token] = score; }
    best = better(best, Candidate(score, token));
  }
  candidates[rowIndex * numParts + part] = best;
}
