// Scales in f32.
const hasMin = false;

@group(0) @binding(1) var<storage, read> scales: array<f32>;

fn scaleAt(row: u32, group: u32, groupsPerRow: u32) -> vec2f {
  return vec2f(scales[row * groupsPerRow + group], 0);
}
