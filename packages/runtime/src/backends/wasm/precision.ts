import type { ActivationPrecision } from '../executor.ts'

/**
 * Blocks of 32 whole numbers of 15 bits: products of bytes, twice; as floats they are several times slower.
 *
 * `int8` has 8 bits before all matrices but that of queries, keys and values, a sixth of SmolLM2's weights, which keeps 15. KL divergence
 * from float64 on the quality part's text, in nats: 8 bits everywhere 1.5e-3; with 15 before queries, keys and values 1.0e-3,
 * before gate and up 1.1e-3, before the head 1.2e-3, before the output 1.3e-3, before `down` 1.5e-3.
 */
export const defaultPrecision: ActivationPrecision = 'int16'
