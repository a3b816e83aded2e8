// f16 weights, two a word, in steps of eight columns, one step a group. Rows are a multiple of eight wide.
const stepsPerGroup = 1u;

@group(0) @binding(0) var<storage, read> quants: array<vec4u>;
@group(0) @binding(1) var<storage, read> scales: array<f32>;

// Float formats have no scale.
alias Scale = f32;

fn loadScale(row: u32, group: u32, groupsPerRow: u32) -> Scale { return 1; }

alias Bits = vec4u;

fn loadBits(index: u32) -> Bits { return quants[index]; }

fn firstQuad(group: u32, step: u32) -> u32 { return group * 2u; }

fn decodeFirst(bits: Bits, scale: Scale) -> vec4f { return vec4f(unpack2x16float(bits.x), unpack2x16float(bits.y)); }

fn secondQuad(group: u32, step: u32) -> u32 { return group * 2u + 1u; }

fn decodeSecond(bits: Bits, scale: Scale) -> vec4f { return vec4f(unpack2x16float(bits.z), unpack2x16float(bits.w)); }
