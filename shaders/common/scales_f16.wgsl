// Scales of a half each, two a word: rows begin at a word. A weight is scale * (q - zero).
override zero: f32;
const hasMin = false;

@group(0) @binding(1) var<storage, read> scales: array<u32>;

fn scaleAt(row: u32, group: u32, groupsPerRow: u32) -> vec2f {
  // An index that is not a constant would be a gather on SwiftShader.
  let pair = unpack2x16float(scales[row * ((groupsPerRow + 1u) / 2u) + group / 2u]);
  let scale = select(pair.x, pair.y, group % 2u == 1u);
  return vec2f(scale, -zero * scale);
}
