// f32 weights in steps of eight columns, one step a group. Rows are a multiple of eight wide.
const stepsPerGroup = 1u;

@group(0) @binding(0) var<storage, read> quants: array<vec4f>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;

// Float formats have no scale.
alias Scale = f32;

fn loadScale(row: u32, group: u32, groupsPerRow: u32) -> Scale { return 1; }

struct Bits {
  first: vec4f,
  second: vec4f,
}

fn loadBits(index: u32) -> Bits { return Bits(quants[index * 2u], quants[index * 2u + 1u]); }

fn firstQuad(group: u32, step: u32) -> u32 { return group * 2u; }

fn decodeFirst(bits: Bits, scale: Scale) -> vec4f { return bits.first; }

fn secondQuad(group: u32, step: u32) -> u32 { return group * 2u + 1u; }

fn decodeSecond(bits: Bits, scale: Scale) -> vec4f { return bits.second; }
