// y = x / sqrt(mean(x^2) + epsilon) * gain, added or not, as rms_norm.wgsl computes it, without barriers.
// x: (batch rows, hiddenSize), gain: (hiddenSize), y: (batch rows, hiddenSize)
// One thread a run of `run` values: each adds up the whole row's squares for itself.
// Dispatch: (x, batch rows, 1) with x * 4 * run >= hiddenSize.
override hiddenSize: u32;
override epsilon: f32;
override run: u32;
override adds: bool;
override outputScale: f32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gain: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let start = id.y * hiddenSize;
  var sum = 0f;
  for (var i = start; i < start + hiddenSize; i++) { sum += x[i] * x[i]; }
  let factor = inverseSqrt(sum / f32(hiddenSize) + epsilon);
  for (var i = id.x * run; i < min((id.x + 1u) * run, hiddenSize); i++) {
    let normed = x[start + i] * factor * gain[i];
    if (adds) { y[start + i] += outputScale * normed; } else { y[start + i] = normed; }
  }
}
