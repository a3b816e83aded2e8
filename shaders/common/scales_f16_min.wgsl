// A scale and a minimum of a half each.
@group(0) @binding(1) var<storage, read> scales: array<u32>;

fn scaleAt(row: u32, group: u32, groupsPerRow: u32) -> vec2f {
  return unpack2x16float(scales[row * groupsPerRow + group]);
}
