// y = x W^T for many rows of the batch, without barriers: a tile of `tileRows` rows of W by `tileTokens` batch rows a thread.
// W: (numRows, numColumns) in planes, x: (batch rows, numColumns), y: (batch rows, numRows)
// Dispatch: any (x, ceil(batch rows / tileTokens), z) with x * z * threads * tileRows >= numRows.
// Put after the constants tileRows and tileTokens, common/batch.wgsl, one of common/plane_tile_*.wgsl, which declares W, one of
// common/token_quad*.wgsl and what kernels/epilogue.ts gives, and unrolled (kernels/unroll.ts): the tile's sums are variables
// sum<row>_<quad of tokens>_<token>.
// The matrix's shape is a uniform, so that all matrices of a format share one pipeline.
override threads: u32;

struct Shape {
  numRows: u32,
  // Of eight columns each
  stepsPerRow: u32,
  // 1 where y takes the sum of what it holds and the product
  adds: u32,
}

@group(0) @binding(2) var<uniform> batch: Batch;
@group(0) @binding(3) var<storage, read> x: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<uniform> shape: Shape;

@compute @workgroup_size(threads)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let numRows = shape.numRows;
  let stepsPerRow = shape.stepsPerRow;
  let groupsPerRow = stepsPerRow / stepsPerGroup;
  // Rows and tokens past the last are read from wherever the binding's bounds check leads, and not written.
  let row = ((workgroup.z * grid.x + workgroup.x) * threads + lane) * tileRows;
  let token = workgroup.y * tileTokens;
  if (token >= batch.numRows) { return; }

  let stride = stepsPerRow * 2u;
  //! for r < tileRows
  //! for q < tokenQuads
  //! for t < quad
  var sum#r_#q_#t = 0f;
  //! end
  //! end
  //! end
  for (var group = 0u; group < groupsPerRow; group++) {
    //! for r < tileRows
    let scale#r = loadScale(row + #ru, group, groupsPerRow);
    //! end
    for (var step = 0u; step < stepsPerGroup; step++) {
      let index = row * stepsPerRow + group * stepsPerGroup + step;
      //! for r < tileRows
      let bits#r = loadBits(index + #ru * stepsPerRow);
      //! end
      {
        let start = token * stride + firstQuad(group, step);
        //! for r < tileRows
        let w#r = decodeFirst(bits#r, scale#r);
        //! end
        //! for q < tokenQuads
        let x#q = loadTokens(start + #qu * 4u * stride, stride, lane);
        //! for t < quad
        //! for r < tileRows
        sum#r_#q_#t += dot(w#r, x#q[#t]);
        //! end
        //! end
        //! end
      }
      {
        let start = token * stride + secondQuad(group, step);
        //! for r < tileRows
        let w#r = decodeSecond(bits#r, scale#r);
        //! end
        //! for q < tokenQuads
        let x#q = loadTokens(start + #qu * 4u * stride, stride, lane);
        //! for t < quad
        //! for r < tileRows
        sum#r_#q_#t += dot(w#r, x#q[#t]);
        //! end
        //! end
        //! end
      }
    }
  }

  // Written in a loop, since compiling this many guarded stores takes longer than all the rest.
  var sums: array<array<f32, tileRows>, tileTokens>;
  //! for q < tokenQuads
  //! for t < quad
  //! for r < tileRows
  sums[#qu * 4u + #tu][#r] = sum#r_#q_#t;
  //! end
  //! end
  //! end
  for (var t = 0u; t < min(tileTokens, batch.numRows - token); t++) {
    for (var r = 0u; r < tileRows && row + r < numRows; r++) {
      let i = (token + t) * numRows + row + r;
      let product = finished(row + r, sums[t][r]);
      if (shape.adds == 1u) { y[i] += product; } else { y[i] = product; }
    }
  }
}
