// The first position that a row with `numVisible` positions up to its own reads: all of them where `window` is 0.
override window: u32;

fn firstVisible(numVisible: u32) -> u32 {
  if (window == 0u) { return 0u; }
  return max(numVisible, window) - window;
}
