// y = x / sqrt(mean(x^2) + epsilon) * gain, or y += outputScale * that where it `adds`
// x: (batch rows, hiddenSize), gain: (hiddenSize), y: (batch rows, hiddenSize)
// One workgroup a row, reduction in workgroup memory; dispatch: (1, batch rows, 1). See rms_norm_serial.wgsl for adapters
// where barriers are dear. Zhang & Sennrich 2019.
override hiddenSize: u32;
override epsilon: f32;
override adds: bool;
override outputScale: f32;
const threads = 256u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gain: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> squares: array<f32, threads>;

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = workgroup.y * hiddenSize;
  var sum = 0f;
  for (var i = thread; i < hiddenSize; i += threads) { sum += x[start + i] * x[start + i]; }
  squares[thread] = sum;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { squares[thread] += squares[thread + half]; }
  }
  workgroupBarrier();
  let factor = inverseSqrt(squares[0] / f32(hiddenSize) + epsilon);
  for (var i = thread; i < hiddenSize; i += threads) {
    let normed = x[start + i] * factor * gain[i];
    if (adds) { y[start + i] += outputScale * normed; } else { y[start + i] = normed; }
  }
}
