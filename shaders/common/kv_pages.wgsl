// The KV cache: where the keys and values of a (sequence, position) lie. The one place that knows; kernels/kv-pages.ts is its
// twin on the host. A buffer of keys (or values) is an array of pages, a page is f32 (numKvHeads, kvPageTokens, headDim):
// position p of a sequence is token p % kvPageTokens of the page that its page table names at p / kvPageTokens.
override numKvHeads: u32;
override kvPageTokens: u32;
override maxPagesPerSequence: u32;

// Which row of headDim floats holds `position`. Page tables are u32 (sequence slots, maxPagesPerSequence).
fn kvRowInPage(page: u32, kvHead: u32, position: u32) -> u32 {
  return (page * numKvHeads + kvHead) * kvPageTokens + position % kvPageTokens;
}

fn pageTableIndex(sequenceSlot: u32, position: u32) -> u32 {
  return sequenceSlot * maxPagesPerSequence + position / kvPageTokens;
}
