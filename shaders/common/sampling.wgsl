// What the two sampling kernels share. A row's tokens are dealt out to numParts threads, and each leaves its best token.
override vocabSize: u32;
override numParts: u32;
const lowest = -0x1.fffffep+127f;
const noToken = 0xffffffffu;

// kernels/sampling.ts packs it.
struct SamplingSettings {
  temperature: f32,
  topP: f32,
  minP: f32,
  repetitionPenalty: f32,
  frequencyPenalty: f32,
  presencePenalty: f32,
  topK: u32,
  seed: u32,
  isBiased: u32,
}

struct Candidate {
  score: f32,
  token: u32,
}

// The higher score wins, then the lower token. A score that is not a number never wins.
fn better(a: Candidate, b: Candidate) -> Candidate {
  if (b.score > a.score || (b.score == a.score && b.token < a.token)) { return b; }
  return a;
}
