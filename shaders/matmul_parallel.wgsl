// y = x W^T for many rows of the batch, by workgroups that share tiles: 32 rows of W by 32 batch rows (tokens).
// W: (numRows, numColumns) in planes, x: (batch rows, numColumns), y: (batch rows, numRows)
// 64 threads decode 32 columns of the tile into workgroup memory at a time; each then adds up 4 rows by 4 tokens.
// Dispatch: any (x, ceil(batch rows / 32), z) with x * z * 32 >= numRows.
// Put after common/batch.wgsl, one of common/plane_tile_*.wgsl, which declares W, and what kernels/epilogue.ts gives.
override numRows: u32;
override numColumns: u32;
override stepsPerRow = numColumns / 8u;
override groupsPerRow = stepsPerRow / stepsPerGroup;

@group(0) @binding(2) var<uniform> batch: Batch;
@group(0) @binding(3) var<storage, read> x: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// [column][quad of rows], [column][quad of tokens]
var<workgroup> weights: array<array<vec4f, 8>, 32>;
var<workgroup> activations: array<array<vec4f, 8>, 32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let firstRow = (workgroup.z * grid.x + workgroup.x) * 32u;
  let firstToken = workgroup.y * 32u;
  let rowQuad = thread % 8u;
  let tokenQuad = thread / 8u;

  // One vec4 of rows for each of four tokens.
  var sums = mat4x4f();
  for (var chunk = 0u; chunk < stepsPerRow; chunk += 4u) {
    // A thread brings 8 columns of two rows of W and of two tokens.
    for (var i = thread; i < 128u; i += 64u) {
      let step = chunk + i % 4u;
      let line = i / 4u;
      let column = (i % 4u) * 8u;
      var w = array<vec4f, 2>();
      var u = array<vec4f, 2>();
      if (step < stepsPerRow) {
        let group = step / stepsPerGroup;
        let stepInGroup = step % stepsPerGroup;
        let row = firstRow + line;
        let scale = loadScale(row, group, groupsPerRow);
        let bits = loadBits(row * stepsPerRow + step);
        w = array(decodeFirst(bits, scale), decodeSecond(bits, scale));
        let start = (firstToken + line) * stepsPerRow * 2u;
        u = array(x[start + firstQuad(group, stepInGroup)], x[start + secondQuad(group, stepInGroup)]);
      }
      for (var p = 0u; p < 8u; p++) {
        weights[column + p][line / 4u][line % 4u] = w[p / 4u][p % 4u];
        activations[column + p][line / 4u][line % 4u] = u[p / 4u][p % 4u];
      }
    }
    workgroupBarrier();
    for (var column = 0u; column < 32u; column++) {
      let w = weights[column][rowQuad];
      let u = activations[column][tokenQuad];
      sums += mat4x4f(u.x * w, u.y * w, u.z * w, u.w * w);
    }
    workgroupBarrier();
  }

  for (var t = 0u; t < 4u; t++) {
    let token = firstToken + tokenQuad * 4u + t;
    for (var r = 0u; r < 4u; r++) {
      let row = firstRow + rowQuad * 4u + r;
      if (token >= batch.numRows || row >= numRows) { continue; }
      let i = token * numRows + row;
      let product = finished(row, sums[t][r]);
      if (epilogue == add) { y[i] += product; } else { y[i] = product; }
    }
  }
}
