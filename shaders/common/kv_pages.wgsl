// The KV cache: where the keys and values of a (sequence, position) lie. The one place that knows; kernels/kv-pages.ts, which puts
// `const kvPageTokens` before this, is its twin on the host. A layer's keys and its values are f32 arrays of pages. In a page
//   keys are (numKvHeads, headDim / 4, kvPageTokens, 4): threads with neighbouring positions read neighbouring quads;
//   values are (numKvHeads, kvPageTokens, headDim): threads with neighbouring components do.
// Position p of a sequence is token p % kvPageTokens of the page that its page table names at p / kvPageTokens.
override numKvHeads: u32;
override maxPagesPerSequence: u32;

// Page tables are u32 (sequence slots, maxPagesPerSequence).
fn pageTableIndex(sequenceSlot: u32, position: u32) -> u32 {
  return sequenceSlot * maxPagesPerSequence + position / kvPageTokens;
}

// Index among quads (four components) of quad `quad` of a key; the next quad of the same key is kvPageTokens further.
fn keyQuad(page: u32, kvHead: u32, quadsPerHead: u32, position: u32, quad: u32) -> u32 {
  return ((page * numKvHeads + kvHead) * quadsPerHead + quad) * kvPageTokens + position % kvPageTokens;
}

fn valueQuad(page: u32, kvHead: u32, quadsPerHead: u32, position: u32, quad: u32) -> u32 {
  return ((page * numKvHeads + kvHead) * kvPageTokens + position % kvPageTokens) * quadsPerHead + quad;
}
