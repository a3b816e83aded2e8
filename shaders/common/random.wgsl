// Noise that depends on nothing but a seed, a position and a token, so that every backend draws the same.

// One step of PCG-RXS-M-XS. O'Neill 2014; as a hash for GPUs: Jarzynski & Olano 2020.
fn pcg(value: u32) -> u32 {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// -ln(-ln(u)) for u = (n + 1/2) / 2^24, where n are the hash's upper 24 bits. Adding noise like this to log-probabilities makes
// their argmax a draw (Gumbel 1954). The likely winners have u near 1, where an f32 has too few digits for n + 1/2 and a
// GPU's log too few for ln(u): there, -ln(1 - v) is a series in v = 1 - u, which is exact.
fn gumbelNoise(hash: u32) -> f32 {
  let n = hash >> 8u;
  let v = (f32(0xffffffu - n) + 0.5) * 0x1p-24f;
  if (v < 0.0625) {
    return -log(v * (1 + v * (1f / 2 + v * (1f / 3 + v * (1f / 4 + v * (1f / 5 + v / 6))))));
  }
  return -log(-log((f32(n) + 0.5) * 0x1p-24f));
}
