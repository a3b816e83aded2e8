// Turns queries and keys by their position and writes keys and values to the cache. Su et al. 2021, section 3.4.2, with
// adjacent pairing: components (2i, 2i + 1) turn by position * frequency i for i < ropeDim / 2, the others stay.
// qkv: (numRows, (numHeads + 2 numKvHeads) * headDim), queries turned in place, then keys, then values
// ropeTable: (positions, ropeDim / 2, 2), cosine and sine; keys, values: pages of common/kv_pages.wgsl
// One thread for each four components. Dispatch: (ceil(components / 4 / threads), numRows, 1).
override numHeads: u32;
override headDim: u32;
override ropeDim: u32;
override threads: u32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read_write> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> ropeTable: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> keys: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(6) var<storage, read> pageTable: array<u32>;

@compute @workgroup_size(threads)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quadsPerHead = headDim / 4u;
  let head = id.x / quadsPerHead;
  let quad = id.x % quadsPerHead;
  let numAllHeads = numHeads + 2u * numKvHeads;
  if (head >= numAllHeads || id.y >= batch.numRows) { return; }
  let row = rows[id.y];
  let i = id.y * numAllHeads * quadsPerHead + id.x;
  var x = qkv[i];

  let isValue = head >= numHeads + numKvHeads;
  if (!isValue) {
    x = vec4f(turned(x.xy, row.position, quad * 2u), turned(x.zw, row.position, quad * 2u + 1u));
  }
  if (head < numHeads) {
    qkv[i] = x;
    return;
  }
  let page = pageTable[pageTableIndex(row.sequenceSlot, row.position)];
  let kvHead = (head - numHeads) % numKvHeads;
  if (isValue) {
    values[valueQuad(page, kvHead, quadsPerHead, row.position, quad)] = x;
  } else {
    keys[keyQuad(page, kvHead, quadsPerHead, row.position, quad)] = x;
  }
}

fn turned(x: vec2f, position: u32, pair: u32) -> vec2f {
  if (pair >= ropeDim / 2u) { return x; }
  let r = ropeTable[position * (ropeDim / 2u) + pair];
  return vec2f(x.x * r.x - x.y * r.y, x.x * r.y + x.y * r.x);
}
