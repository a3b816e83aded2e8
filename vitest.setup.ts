import fc from 'fast-check'

// The same cases in every run: what turns red is what the change broke, not what chance drew. `seed: Date.now()` here goes looking.
fc.configureGlobal({ seed: 20 })
