// RMS norm of queries and keys, in place, as head_norm.wgsl computes it, without barriers: a thread has a whole vector.
// Dispatch: (ceil((queryCount + keyCount) / 4), batch rows, 1). Put after common/batch.wgsl and common/query_key_vector.wgsl.
@compute @workgroup_size(4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= queryCount + keyCount || id.y >= batch.numRows) { return; }
  let v = vectorAt(id.y, id.x);
  var sum = 0f;
  for (var i = v.start; i < v.start + v.size; i++) { sum += qkv[i] * qkv[i]; }
  let factor = inverseSqrt(sum / f32(v.size) + v.epsilon);
  for (var i = 0u; i < v.size; i++) { qkv[v.start + i] *= factor * gainAt(v, i); }
}
