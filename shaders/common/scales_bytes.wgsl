// Scales of a signed byte each as Q6_K has them: sixteen groups in five words, of which the first is the unit in f32.
@group(0) @binding(1) var<storage, read> scales: array<u32>;

fn scaleAt(row: u32, group: u32, groupsPerRow: u32) -> vec2f {
  let block = (row * (groupsPerRow / 16u) + group / 16u) * 5u;
  let word = i32(scales[block + 1u + group % 16u / 4u]);
  return vec2f(bitcast<f32>(scales[block]) * f32(extractBits(word, 8u * (group % 4u), 8u)), 0);
}
