// Decoded q5 weights, in steps of eight columns as common/plane_tile_q4.wgsl has them: a nibble word and the fifth bits that go
// with it make two words of bytes. Put after common/scales_*.wgsl.
const stepsPerGroup = 4u;

@group(0) @binding(0) var<storage, read> quants: array<i32>;

struct Scale {
  scale: vec4f,
  min: f32,
}

fn loadScale(row: u32, group: u32, groupsPerRow: u32) -> Scale {
  let scale = scaleAt(row, group, groupsPerRow);
  return Scale(scale.x * vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24), scale.y);
}

struct Bits {
  nibbles: i32,
  fifth: i32,
}

fn loadBits(index: u32) -> Bits {
  let start = index / 4u * 5u;
  return Bits(quants[start + index % 4u], quants[start + 4u] >> (index % 4u));
}

fn decodeBytes(word: i32, scale: Scale) -> vec4f {
  return vec4f(vec4i(word) & vec4i(0x1f, 0x1f00, 0x1f0000, 0x1f000000)) * scale.scale + scale.min;
}

fn firstQuad(group: u32, step: u32) -> u32 { return group * 8u + step; }

fn decodeFirst(bits: Bits, scale: Scale) -> vec4f {
  return decodeBytes((bits.nibbles & 0x0f0f0f0f) | ((bits.fifth << 4u) & 0x10101010), scale);
}

fn secondQuad(group: u32, step: u32) -> u32 { return group * 8u + step + 4u; }

fn decodeSecond(bits: Bits, scale: Scale) -> vec4f {
  return decodeBytes(((bits.nibbles >> 4u) & 0x0f0f0f0f) | (bits.fifth & 0x10101010), scale);
}
