// Decoded q6 weights, in steps of eight columns as common/plane_tile_q4.wgsl has them; two groups of the matrix, of 16 columns, are
// one here. A nibble word and the upper bits that go with it make two words of bytes. Put after common/scales_*.wgsl.
const stepsPerGroup = 4u;

@group(0) @binding(0) var<storage, read> quants: array<i32>;

// Of the first and of the second group.
alias Scale = vec2f;

fn loadScale(row: u32, group: u32, groupsPerRow: u32) -> Scale {
  return vec2f(
    scaleAt(row, 2u * group, 2u * groupsPerRow).x,
    scaleAt(row, 2u * group + 1u, 2u * groupsPerRow).x,
  );
}

struct Bits {
  nibbles: i32,
  firstUpper: i32,
  secondUpper: i32,
}

fn loadBits(index: u32) -> Bits {
  let start = index / 4u * 6u;
  let shift = 2u * (index % 4u);
  return Bits(quants[start + index % 4u], quants[start + 4u] >> shift, quants[start + 5u] >> shift);
}

fn decodeBytes(nibbles: i32, upper: i32, scale: f32) -> vec4f {
  let word = (nibbles & 0x0f0f0f0f) | ((upper << 4u) & 0x30303030);
  let q = vec4f(vec4i(word) & vec4i(0x3f, 0x3f00, 0x3f0000, 0x3f000000)) * vec4f(1, 0x1p-8, 0x1p-16, 0x1p-24);
  return (q - 32) * scale;
}

fn firstQuad(group: u32, step: u32) -> u32 { return group * 8u + step; }

fn decodeFirst(bits: Bits, scale: Scale) -> vec4f { return decodeBytes(bits.nibbles, bits.firstUpper, scale.x); }

fn secondQuad(group: u32, step: u32) -> u32 { return group * 8u + step + 4u; }

fn decodeSecond(bits: Bits, scale: Scale) -> vec4f { return decodeBytes(bits.nibbles >> 4u, bits.secondUpper, scale.y); }
