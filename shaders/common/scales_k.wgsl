// Scales and minimums of six bits as Q4_K and Q5_K have them (get_scale_min_k4 in ggml-quants.c): eight groups in four words.
// Those of the last four groups are four bits of the last word and two that the first four leave free.
@group(0) @binding(1) var<storage, read> scales: array<vec4u>;

fn scaleAt(row: u32, group: u32, groupsPerRow: u32) -> vec2f {
  let block = scales[row * (groupsPerRow / 8u) + group / 8u];
  let words = block.yzw >> vec3u(8u * (group % 4u));
  let first = words.xy & vec2u(63);
  let last = (vec2u(words.z, words.z >> 4u) & vec2u(15)) | ((words.xy >> vec2u(2)) & vec2u(48));
  return unpack2x16float(block.x) * vec2f(select(first, last, group % 8u >= 4u)) * vec2f(1, -1);
}
