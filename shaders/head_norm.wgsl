// RMS norm of queries and keys, in place, over each head or over all of a row's heads (Zhang & Sennrich 2019; Henry et al. 2020).
// qkv: (batch rows, rowSize); queryGain: (querySize), keyGain: (keySize)
// One workgroup a vector; dispatch: (queryCount + keyCount, batch rows, 1). See head_norm_serial.wgsl for adapters where barriers
// are dear. Put after common/batch.wgsl and common/query_key_vector.wgsl.
const threads = 64u;

var<workgroup> squares: array<f32, threads>;

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
  let v = vectorAt(workgroup.y, workgroup.x);
  var sum = 0f;
  for (var i = thread; i < v.size; i += threads) { sum += qkv[v.start + i] * qkv[v.start + i]; }
  squares[thread] = sum;
  for (var half = threads / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { squares[thread] += squares[thread + half]; }
  }
  workgroupBarrier();
  let factor = inverseSqrt(squares[0] / f32(v.size) + v.epsilon);
  for (var i = thread; i < v.size; i += threads) { qkv[v.start + i] *= factor * gainAt(v, i); }
}
