// A scale and a minimum in f32 each.
const hasMin = true;

@group(0) @binding(1) var<storage, read> scales: array<vec2f>;

fn scaleAt(row: u32, group: u32, groupsPerRow: u32) -> vec2f {
  return scales[row * groupsPerRow + group];
}
