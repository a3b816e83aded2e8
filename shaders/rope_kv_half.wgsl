// What rope_kv.wgsl does, with the pairing of GPT-NeoX: components (i, i + ropeDim / 2) turn by position * frequency i for
// i < ropeDim / 2, the others stay. Black et al. 2022.
// qkv: (numRows, (numHeads + 2 numKvHeads) * headDim), queries turned in place, then keys, then values
// ropeTable: (positions, ropeDim / 2, 2), cosine and sine; keys, values: pages of common/kv_pages.wgsl
// One thread for each pair, so that what turns together is read before it is written. Components behind ropeDim go in pairs of
// neighbours. Dispatch: (ceil(components / 2 / threads), numRows, 1).
override numHeads: u32;
override headDim: u32;
override ropeDim: u32;
override threads: u32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read_write> qkv: array<f32>;
@group(0) @binding(3) var<storage, read> ropeTable: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> keys: array<f32>;
@group(0) @binding(5) var<storage, read_write> values: array<f32>;
@group(0) @binding(6) var<storage, read> pageTable: array<u32>;

@compute @workgroup_size(threads)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let pairsPerHead = headDim / 2u;
  let head = id.x / pairsPerHead;
  let pair = id.x % pairsPerHead;
  let numAllHeads = numHeads + 2u * numKvHeads;
  if (head >= numAllHeads || id.y >= batch.numRows) { return; }
  let row = rows[id.y];
  let start = (id.y * numAllHeads + head) * headDim;
  let turns = pair < ropeDim / 2u;
  let d = select(vec2u(2u * pair, 2u * pair + 1u), vec2u(pair, pair + ropeDim / 2u), turns);
  var x = vec2f(qkv[start + d.x], qkv[start + d.y]);

  let isValue = head >= numHeads + numKvHeads;
  if (turns && !isValue) {
    let r = ropeTable[row.position * (ropeDim / 2u) + pair];
    x = vec2f(x.x * r.x - x.y * r.y, x.x * r.y + x.y * r.x);
  }
  if (head < numHeads) {
    qkv[start + d.x] = x.x;
    qkv[start + d.y] = x.y;
    return;
  }
  let page = pageTable[pageTableIndex(row.sequenceSlot, row.position)];
  let kvHead = (head - numHeads) % numKvHeads;
  for (var i = 0u; i < 2u; i++) {
    if (isValue) {
      values[valueQuad(page, kvHead, headDim / 4u, row.position, d[i] / 4u) * 4u + d[i] % 4u] = x[i];
    } else {
      keys[keyQuad(page, kvHead, headDim / 4u, row.position, d[i] / 4u) * 4u + d[i] % 4u] = x[i];
    }
  }
}
