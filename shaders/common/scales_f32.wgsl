// Scales in f32, with a minimum beside each or without.
override hasMin: bool;

@group(0) @binding(1) var<storage, read> scales: array<f32>;

fn scaleAt(row: u32, group: u32, groupsPerRow: u32) -> vec2f {
  let index = row * groupsPerRow + group;
  if (hasMin) { return vec2f(scales[index * 2u], scales[index * 2u + 1u]); }
  return vec2f(scales[index], 0);
}
