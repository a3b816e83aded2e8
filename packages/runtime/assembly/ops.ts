// What a forward pass consists of: records of 32 words in shared memory, written by src/backends/wasm/program.ts. Every field
// is 4 bytes; pointers are byte addresses; the order of fields here is the order there.

export const opBytes: usize = 128

export enum Kind {
  Embed,
  Normalise,
  Linear,
  HeadNorm,
  Rope,
  Attention,
  Merge,
  PostNorm,
}

/** How a matrix lies in memory, in tiles of 8 rows: src/backends/wasm/tiles.ts draws them. */
export enum Format {
  Q4Half,
  Q4Full,
  Q8Half,
  Q8Full16,
  Q8Full32,
  F16,
  F32,
}

@unmanaged
export class Op {
  kind: i32
  /** Pieces that threads may take, each by itself. */
  numChunks: i32
}

/** Rows of the embedding matrix: output (numRows, numColumns). A chunk a row. */
@unmanaged
export class EmbedOp extends Op {
  numRows: i32
  numColumns: i32
  format: i32
  weights: usize
  /** i32 (numRows) */
  tokens: usize
  output: usize
  outputStride: usize
  scale: f32
}

/**
 * Input rows, normalised where there is a gain, as floats or quantised for a linear layer or both. A chunk is a group of
 * rows: one row, or four that `Linear` multiplies together.
 */
@unmanaged
export class NormaliseOp extends Op {
  numRows: i32
  numColumns: i32
  /** f32 (numRows, numColumns) */
  input: usize
  /** Bytes from a row to the next, here as everywhere. */
  inputStride: usize
  /** f32 (numColumns), or 0: not normalised */
  gain: usize
  epsilon: f32
  /** f32 (numRows, numColumns), or 0: not wanted */
  floats: usize
  /** See quantise.ts; 0: not wanted. */
  quants: usize
  scales: usize
  sums: usize
  /** 1 or 4 */
  rowsPerGroup: i32
  /** Bytes of each activation: 1 or 2 */
  width: i32
}

export enum Epilogue {
  Store,
  /** Adds to what is there. */
  Add,
  /** Tiles hold four gate rows and four up rows: act(gate) * up, four values a tile. */
  SiluMul,
  GeluMul,
}

/** output (numRows, 8 numTiles, or 4 numTiles where it is gated) = scale * (weights input + bias). A chunk is a run of tiles. */
@unmanaged
export class LinearOp extends Op {
  numRows: i32
  numColumns: i32
  numTiles: i32
  format: i32
  weights: usize
  /** f32 (8 numTiles) in the order of the tiles' rows, or 0 */
  bias: usize
  /** As NormaliseOp leaves them; 0 where the matrix takes floats. */
  quants: usize
  scales: usize
  sums: usize
  floats: usize
  rowsPerGroup: i32
  output: usize
  outputStride: usize
  epilogue: i32
  scale: f32
  /** Whether the relaxed dot product takes weights above 127: `probeDot`. */
  takesBytes: i32
  /** Bytes of each activation, as in NormaliseOp */
  width: i32
}

/** Normalises heads in place: numHeads vectors of headDim from `input` on in each row. A chunk a row. */
@unmanaged
export class HeadNormOp extends Op {
  numRows: i32
  numHeads: i32
  headDim: i32
  input: usize
  inputStride: usize
  gain: usize
  epsilon: f32
}

/** Where a row stands: 4 words a row. */
@unmanaged
export class Row {
  position: i32
  /** u32 addresses of the pages of its sequence, those of this layer's group. */
  pageTable: usize
  reserved0: i32
  reserved1: i32
}

/** Turns queries and keys, and writes keys and values to their pages. A chunk is 8 rows. */
@unmanaged
export class RopeOp extends Op {
  numRows: i32
  numHeads: i32
  numKvHeads: i32
  headDim: i32
  /** f32 (numRows, (numHeads + 2 numKvHeads) * headDim) */
  qkv: usize
  qkvStride: usize
  /** Row (numRows) */
  rows: usize
  /** f32 (positions, ropeDim / 2, 2): cosine and sine; 0: nothing turns */
  table: usize
  ropeDim: i32
  /** 1: components (i, i + ropeDim / 2) turn together; 0: (2i, 2i + 1) */
  isHalf: i32
  /** Bytes from a page's start to this layer's keys; its values follow them. */
  layerOffset: i32
  /** Bytes of each component of keys and values: 2 or 4; see pages.ts. */
  keyBytes: i32
}

/**
 * Attention of part of the keys. A chunk is one of numSplits parts for one key-value head and rowsPerChunk rows, which are
 * successive positions of one sequence.
 */
@unmanaged
export class AttentionOp extends Op {
  numRows: i32
  numHeads: i32
  numKvHeads: i32
  headDim: i32
  qkv: usize
  qkvStride: usize
  rows: usize
  layerOffset: i32
  scale: f32
  /** 0: none */
  softCap: f32
  /** Positions that a row reads, its own included; 0: all */
  window: i32
  numSplits: i32
  /** f32 (numRows, numHeads, numSplits, headDim + 4): weighted values, then greatest score and total weight */
  parts: usize
  /** At most 4: see scratchBytes */
  rowsPerChunk: i32
  /** As in RopeOp */
  keyBytes: i32
}

/** Joins the parts: output (numRows, numHeads * headDim). A chunk a row. */
@unmanaged
export class MergeOp extends Op {
  numRows: i32
  numHeads: i32
  headDim: i32
  numSplits: i32
  parts: usize
  output: usize
}

/** hidden += scale * rmsNorm(input) * gain. A chunk a row. */
@unmanaged
export class PostNormOp extends Op {
  numRows: i32
  numColumns: i32
  input: usize
  inputStride: usize
  gain: usize
  epsilon: f32
  hidden: usize
  hiddenStride: usize
  scale: f32
}
