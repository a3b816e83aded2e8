// Causal attention of single rows, first half: the keys are cut into numSplits runs, and a workgroup leaves its run's part.
// Up to four heads that share a KV head go together as the columns of a matrix: key * queries is their four scores.
// parts: (numRows, numHeads, numSplits, headDim + 4): weighted values, then greatest score, total of weights, 0, 0
// With one split, parts is the output itself: (numRows, numHeads * headDim).
// Dispatch: (numSplits, numKvHeads * headTiles, numRows). headDim is at most 4 * threads. Put after common/soft_cap.wgsl and
// common/window.wgsl.
override numHeads: u32;
override headDim: u32;
override scale: f32;
override headTiles: u32;
override headsPerTile: u32;
override numSplits: u32;
override threads: u32;
override quads = headDim / 4u;
const lowest = -0x1.fffffep+127f;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> rows: array<BatchRow>;
@group(0) @binding(2) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(3) var<storage, read> keys: array<vec4f>;
@group(0) @binding(4) var<storage, read> values: array<vec4f>;
@group(0) @binding(5) var<storage, read> pageTable: array<u32>;
@group(0) @binding(6) var<storage, read_write> parts: array<vec4f>;

var<workgroup> queries: array<mat4x4f, quads>;
// Scores, then weights, of four heads for a tile of keys, a key a thread.
var<workgroup> weights: array<vec4f, threads>;
var<workgroup> sums: array<mat4x4f, threads>;
var<workgroup> totals: array<vec4f, threads>;

@compute @workgroup_size(threads)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let split = workgroup.x;
  let tile = workgroup.y;
  let rowIndex = workgroup.z;
  if (rowIndex >= batch.numRows) { return; }
  let row = rows[rowIndex];
  let kvHead = tile / headTiles;
  // Heads of an incomplete tile repeat the group's last one.
  let group = numHeads / numKvHeads;
  let lastHead = kvHead * group + group - 1u;
  let heads = min(vec4u(kvHead * group + tile % headTiles * headsPerTile) + vec4u(0, 1, 2, 3), vec4u(lastHead));

  let queryHeads = (heads + rowIndex * (numHeads + 2u * numKvHeads)) * quads;
  for (var d = lane; d < quads; d += threads) {
    queries[d] = scale * mat4x4f(
      qkv[queryHeads.x + d], qkv[queryHeads.y + d], qkv[queryHeads.z + d], qkv[queryHeads.w + d],
    );
  }
  workgroupBarrier();

  let numPositions = row.position + 1u;
  let firstPosition = firstVisible(numPositions);
  let run = ((numPositions - firstPosition + numSplits - 1u) / numSplits + 15u) / 16u * 16u;
  let first = firstPosition + split * run;
  let end = min(first + run, numPositions);
  // While weights are applied, a thread has one quad of the head and every numLanes-th key.
  let quad = lane % quads;
  let keyLane = lane / quads;
  let numKeyLanes = threads / quads;
  var greatest = vec4f(lowest);
  var total = vec4f();
  var sum = mat4x4f();
  for (var start = first; start < end; start += threads) {
    let position = start + lane;
    var score = vec4f(lowest);
    if (position < end) {
      let page = pageTable[pageTableIndex(row.sequenceSlot, position)];
      score = vec4f();
      for (var d = 0u; d < quads; d++) { score += keys[keyQuad(page, kvHead, quads, position, d)] * queries[d]; }
      score = vec4f(capped(score.x), capped(score.y), capped(score.z), capped(score.w));
    }
    weights[lane] = score;
    workgroupBarrier();
    var newGreatest = greatest;
    for (var i = 0u; i < threads; i++) { newGreatest = max(newGreatest, weights[i]); }
    workgroupBarrier();
    weights[lane] = exp(score - newGreatest);
    workgroupBarrier();
    sum = scaledColumns(sum, exp(greatest - newGreatest));
    total *= exp(greatest - newGreatest);
    greatest = newGreatest;
    if (keyLane < numKeyLanes) {
      for (var i = keyLane; i < min(threads, end - start); i += numKeyLanes) {
        let page = pageTable[pageTableIndex(row.sequenceSlot, start + i)];
        let v = values[valueQuad(page, kvHead, quads, start + i, quad)];
        sum += scaledColumns(mat4x4f(v, v, v, v), weights[i]);
        total += weights[i];
      }
    }
    workgroupBarrier();
  }

  sums[lane] = sum;
  totals[lane] = total;
  workgroupBarrier();
  if (lane >= quads) { return; }
  for (var i = 1u; i < numKeyLanes; i++) {
    sum += sums[i * quads + lane];
    total += totals[i * quads + lane];
  }
  for (var h = 0u; h < headsPerTile; h++) {
    if (numSplits == 1u) {
      parts[(rowIndex * numHeads + heads[h]) * quads + lane] = sum[h] / total[h];
      continue;
    }
    let part = ((rowIndex * numHeads + heads[h]) * numSplits + split) * (quads + 1u);
    parts[part + lane] = sum[h];
    if (lane == 0u) { parts[part + quads] = vec4f(greatest[h], total[h], 0, 0); }
  }
}

fn scaledColumns(m: mat4x4f, factors: vec4f) -> mat4x4f {
  return mat4x4f(m[0] * factors.x, m[1] * factors.y, m[2] * factors.z, m[3] * factors.w);
}
