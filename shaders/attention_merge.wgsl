// Causal attention of single rows, second half: parts of the keys are joined by their log-sum-exp (Dao et al. 2023, Flash-Decoding).
// parts: (numRows, numHeads, numSplits, headDim + 4) as attention_decode.wgsl leaves them; output: (numRows, numHeads * headDim)
// One thread for each four components of the output. Dispatch: (ceil(numHeads * headDim / 4 / threads), numRows, 1).
override numHeads: u32;
override headDim: u32;
override numSplits: u32;
override threads: u32;

@group(0) @binding(0) var<uniform> batch: Batch;
@group(0) @binding(1) var<storage, read> parts: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(threads)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let quads = headDim / 4u;
  let head = id.x / quads;
  if (head >= numHeads || id.y >= batch.numRows) { return; }
  let partQuads = quads + 1u;
  let first = (id.y * numHeads + head) * numSplits * partQuads;

  // The first split always has the first position.
  var greatest = parts[first + quads].x;
  for (var split = 1u; split < numSplits; split++) {
    greatest = max(greatest, parts[first + split * partQuads + quads].x);
  }
  var total = 0f;
  var sum = vec4f();
  for (var split = 0u; split < numSplits; split++) {
    let part = first + split * partQuads;
    let state = parts[part + quads];
    let weight = exp(state.x - greatest);
    total += weight * state.y;
    sum += weight * parts[part + id.x % quads];
  }
  output[id.y * numHeads * quads + id.x] = sum / total;
}
