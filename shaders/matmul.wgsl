// y = x W^T for many rows of the batch, without barriers: 8 rows of W by 8 batch rows (tokens) a thread.
// W: (numRows, numColumns) in planes, x: (batch rows, numColumns), y: (batch rows, numRows)
// Dispatch: any (x, ceil(batch rows / 8), z) with x * z * threads * 8 >= numRows.
// Put after common/batch.wgsl and one of common/plane_tile_*.wgsl, which declares W.
override numRows: u32;
override epilogue: u32;
override threads: u32;
const add = 1u;

@group(0) @binding(2) var<uniform> batch: Batch;
@group(0) @binding(3) var<storage, read> x: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// Four rows of W and eight columns: x * first has the dot products of four columns of x with the four rows.
struct Tile {
  first: mat4x4f,
  second: mat4x4f,
}

fn tileOf(a: Weights, b: Weights, c: Weights, d: Weights) -> Tile {
  return Tile(mat4x4f(a.first, b.first, c.first, d.first), mat4x4f(a.second, b.second, c.second, d.second));
}

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Rows and tokens past the last are read from wherever the binding's bounds check leads, and not written.
  let row = ((workgroup.z * grid.x + workgroup.x) * threads + lane) * 8u;
  let token = workgroup.y * 8u;
  if (row >= numRows) { return; }
  let stride = numColumns / 4u;

  // Named by token (0..7) and by the half of the eight rows (a, b).
  var a0 = vec4f(); var a1 = vec4f(); var a2 = vec4f(); var a3 = vec4f();
  var a4 = vec4f(); var a5 = vec4f(); var a6 = vec4f(); var a7 = vec4f();
  var b0 = vec4f(); var b1 = vec4f(); var b2 = vec4f(); var b3 = vec4f();
  var b4 = vec4f(); var b5 = vec4f(); var b6 = vec4f(); var b7 = vec4f();

  for (var group = 0u; group < numColumns / (8u * stepsPerGroup); group++) {
    let s0 = loadScale(row, group);
    let s1 = loadScale(row + 1u, group);
    let s2 = loadScale(row + 2u, group);
    let s3 = loadScale(row + 3u, group);
    let s4 = loadScale(row + 4u, group);
    let s5 = loadScale(row + 5u, group);
    let s6 = loadScale(row + 6u, group);
    let s7 = loadScale(row + 7u, group);
    for (var step = 0u; step < stepsPerGroup; step++) {
      let a = tileOf(
        loadWeights(row, group, step, s0),
        loadWeights(row + 1u, group, step, s1),
        loadWeights(row + 2u, group, step, s2),
        loadWeights(row + 3u, group, step, s3),
      );
      let b = tileOf(
        loadWeights(row + 4u, group, step, s4),
        loadWeights(row + 5u, group, step, s5),
        loadWeights(row + 6u, group, step, s6),
        loadWeights(row + 7u, group, step, s7),
      );
      var first = token * stride + firstColumns(group, step);
      var second = token * stride + secondColumns(group, step);
      { let u = x[first]; let v = x[second]; a0 += u * a.first + v * a.second; b0 += u * b.first + v * b.second; }
      first += stride; second += stride;
      { let u = x[first]; let v = x[second]; a1 += u * a.first + v * a.second; b1 += u * b.first + v * b.second; }
      first += stride; second += stride;
      { let u = x[first]; let v = x[second]; a2 += u * a.first + v * a.second; b2 += u * b.first + v * b.second; }
      first += stride; second += stride;
      { let u = x[first]; let v = x[second]; a3 += u * a.first + v * a.second; b3 += u * b.first + v * b.second; }
      first += stride; second += stride;
      { let u = x[first]; let v = x[second]; a4 += u * a.first + v * a.second; b4 += u * b.first + v * b.second; }
      first += stride; second += stride;
      { let u = x[first]; let v = x[second]; a5 += u * a.first + v * a.second; b5 += u * b.first + v * b.second; }
      first += stride; second += stride;
      { let u = x[first]; let v = x[second]; a6 += u * a.first + v * a.second; b6 += u * b.first + v * b.second; }
      first += stride; second += stride;
      { let u = x[first]; let v = x[second]; a7 += u * a.first + v * a.second; b7 += u * b.first + v * b.second; }
    }
  }
  write8(token, row, a0, b0);
  write8(token + 1u, row, a1, b1);
  write8(token + 2u, row, a2, b2);
  write8(token + 3u, row, a3, b3);
  write8(token + 4u, row, a4, b4);
  write8(token + 5u, row, a5, b5);
  write8(token + 6u, row, a6, b6);
  write8(token + 7u, row, a7, b7);
}

fn write8(token: u32, row: u32, a: vec4f, b: vec4f) {
  if (token >= batch.numRows) { return; }
  write(token, row, a.x);
  write(token, row + 1u, a.y);
  write(token, row + 2u, a.z);
  write(token, row + 3u, a.w);
  write(token, row + 4u, b.x);
  write(token, row + 5u, b.y);
  write(token, row + 6u, b.z);
  write(token, row + 7u, b.w);
}

fn write(token: u32, row: u32, value: f32) {
  if (row >= numRows) { return; }
  let i = token * numRows + row;
  if (epilogue == add) { y[i] += value; } else { y[i] = value; }
}
