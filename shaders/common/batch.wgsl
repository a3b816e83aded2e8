// A batch of (sequence, position) rows: a prefill chunk has one row a prompt token, a decode step one row a sequence.
struct Batch {
  numRows: u32,
}

struct BatchRow {
  token: u32,
  position: u32,
  // index of the sequence's page table and sampling state
  sequenceSlot: u32,
  unused: u32,
}
