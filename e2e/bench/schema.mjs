// @ts-check
import { readFileSync } from 'node:fs'
import { reasonOf, ScriptError } from '../../scripts/command-line.mjs'

/**
 * What a run of the benchmark writes to bench/results/<date>-<machine>.json, and its page as far as a page can know. Names of numbers carry their units; speeds are in
 * tokens a second, sizes in bytes. A figure that was not measured is left out, never 0.
 *
 * @typedef {object} BenchResults
 * @property {typeof schemaVersion} schemaVersion
 * @property {string} command that makes this file again on the same machine
 * @property {string} startedAt ISO 8601, UTC
 * @property {number} durationSeconds
 * @property {Machine} machine
 * @property {Browser} browser
 * @property {Record<string, string>} versions of the packages that were measured, of Node and of this repository (`brasa`)
 * @property {Pick<ModelFile, 'id' | 'file' | 'bytes'> & Partial<ModelFile>} model a page cannot know all of it
 * @property {number} numRounds that count; one more went before them and was discarded
 * @property {string | null} baseline id of the system that ratios are taken to; null where it was not measured
 * @property {string[]} [otherBaselines] ids of further systems that ratios are taken to
 * @property {BenchTest[]} tests in the table's order
 * @property {SystemResult[]} systems in the table's order, those that failed too
 * @property {Limit[]} limits
 * @property {string[]} [notes] what went wrong with none of the systems: a limit that could not be measured
 * @property {true} [isPartial] of a run that did not come to its end: what it had by then
 *
 * @typedef {object} Machine
 * @property {string} name
 * @property {string} platform such as "linux x64"
 * @property {string} [cpu] left out, like what follows it, where a page cannot know it
 * @property {number} numCores
 * @property {number} [memoryBytes]
 * @property {number[]} [loadAverage] over one minute, before the first round and after the last
 * @property {Noise} [noise]
 *
 * @typedef {object} Noise how long one and the same CPU loop took before each round: on a quiet machine, always as long
 * @property {number[]} loopMs
 * @property {number} spread (longest - shortest) / median
 *
 * @typedef {object} Browser
 * @property {string} version
 * @property {string} userAgent
 * @property {string[]} args
 * @property {boolean} headed
 * @property {string} [channel]
 * @property {Adapter | null} adapter that WebGPU offers; null where there is none
 *
 * @typedef {object} Adapter
 * @property {string} name vendor, architecture and description
 * @property {boolean} isSoftware
 * @property {string[]} features
 *
 * @typedef {object} ModelFile
 * @property {string} id as `--model` takes it
 * @property {string} file
 * @property {number} bytes
 * @property {string} sha256
 * @property {number} weightBytesPerToken that decoding one token reads from this file: all tensors, but of an embedding that is
 *   not also the head only a row
 * @property {number} embeddingBytesApart of such an embedding; 0 where it is the head as well
 *
 * @typedef {object} BenchTest
 * @property {string} id `pp128`, `tg64`, `ttft`, `load`, `batch4`, `ctx2048`, `busy`: as `--tests` takes it
 * @property {string} name for people
 * @property {'prefill' | 'decode' | 'ttft' | 'load' | 'batch' | 'context' | 'busy'} kind
 * @property {'tok/s' | 'ms' | 'share'} unit `share`: of the same system's rate of decoding, from 0 to 1
 * @property {boolean} higherIsBetter
 * @property {number} [promptTokens]
 * @property {number} [answerTokens]
 * @property {number} [streams] requests at once
 *
 * @typedef {object} SystemResult
 * @property {string} id such as `brasa-webgpu`, `brasa-ort`, `wllama-1`, `wllama-2`, `wllama-webgpu`, `transformers`, `webllm`
 * @property {string} name for people
 * @property {string} [device] what it says it ran on, such as "google swiftshader" or "CPU, 2 threads"
 * @property {string} [detail] what a reader must know of how it ran, such as "linears in f32"
 * @property {{ name: string, bytes?: number, isSameFile: boolean }} [file] the weights it read
 * @property {number} [weightBytesPerToken] in the form in which it holds them, by its own account where it gives one; an embedding of which a
 *   token reads a row is taken off as the file has it
 * @property {Status} status
 * @property {string} [reason] a sentence, where the status is not `ok`
 * @property {string[]} notes
 * @property {Record<string, TestResult>} tests by id; a test that was not reached is left out
 * @property {string} [limit] id of the Limit that its decoding is held against
 * @property {ContextCost} [contextCost] where two tests decode after contexts of unlike lengths
 * @property {Agreement} [agreement]
 * @property {WorkPerToken} [perToken]
 * @property {Load} [load]
 * @property {Memory} [memory]
 *
 * @typedef {'ok' | 'wrong-output' | 'ran-elsewhere' | 'failed' | 'crashed' | 'hung' | 'unavailable'} Status
 *   `wrong-output`: measured, and its answers are not the model's. `ran-elsewhere`: on another device than asked for, so that
 *   nothing was measured. `hung`: past a deadline. `unavailable`: its files are out of reach, or the browser lacks what it needs.
 *
 * @typedef {object} TestResult
 * @property {Run[]} runs of the rounds that count, in order
 * @property {Summary} summary
 * @property {Ratio} [ratio] to the baseline; left out for the baseline itself
 * @property {Record<string, Ratio>} [otherRatios] to each of the other baselines, by its id
 * @property {Summary} [shareOfLimit] of what its device reads, 0 to 1; only of decoding one sequence
 *
 * @typedef {object} Run
 * @property {number} round from 1
 * @property {number} value in the test's unit, by the page's clock
 * @property {number} promptTokens
 * @property {number} answerTokens
 * @property {number} [reported] the same figure by the system's own account, where it gives one
 *
 * @typedef {{ min: number, median: number, max: number }} Summary
 *
 * @typedef {Summary & { perRound: number[] }} Ratio value / the baseline's value of the same round, then summarised: above 1, faster.
 *   Of times it is the baseline's / this one's, so that it means the same.
 *
 * @typedef {Ratio & { from: string, to: string }} ContextCost what a token costs in the test `to`, of the longest context, over what it
 *   costs in `from`, of the shortest: above 1, dearer
 *
 * @typedef {object} Limit
 * @property {string} id
 * @property {string} name for people
 * @property {'gpu' | 'cpu'} device
 * @property {number} [threads] of the CPU
 * @property {number} bytes that one pass reads
 * @property {{ round: number, bytesPerSecond: number }[]} runs
 * @property {Summary} bytesPerSecond
 *
 * @typedef {object} Agreement with a float64 forward pass of the model's file, each step after the reference's own tokens
 * @property {number} numSteps
 * @property {number} numSkipped
 * @property {number} numAgreeing whose likeliest token is the reference's
 * @property {number} numDecided where the reference's best two are no tie
 * @property {number} numDecidedAgreeing
 * @property {number} meanKlDivergence nats; a lower bound: the tokens that both list each by itself, all others as one
 * @property {number} maxKlDivergence
 *
 * @typedef {object} WorkPerToken of steady decoding, by WebGPU calls; the difference of two answers that differ only in length
 * @property {number} dispatches
 * @property {number} submits
 * @property {number} buffersCreated
 * @property {number} bindGroupsCreated
 * @property {number} bytesWritten
 * @property {number} bytesRead mapped back
 *
 * @typedef {object} Load
 * @property {LoadTime} cold empty storage, from a server on this machine; it ends when the first token is there
 * @property {LoadTime[]} warm one a round, from the browser's storage
 *
 * @typedef {object} LoadTime
 * @property {number} totalMs
 * @property {number} firstTokenMs its last part: one token after a prompt of 37
 * @property {Partial<Record<'download' | 'verify' | 'upload' | 'compile', number>>} [phasesMs] where the system tells them
 *
 * @typedef {object} Memory
 * @property {number} [gpuBytes] of the buffers that were created and not destroyed
 * @property {number} [weightBytes] by its own account
 * @property {number} [kvCacheBytes] by its own account
 * @property {number} [otherBytes] by its own account
 * @property {number} [jsHeapBytes] of the page and its workers but for threads that sleep, after garbage was collected
 * @property {number} [wasmHeapBytes] of the engine's WebAssembly; what threads share counts once
 * @property {number} [processBytes] resident in all of its browser's processes
 */

export const schemaVersion = 1

/**
 * @param {string} path of a JSON file that the benchmark wrote
 * @returns {BenchResults}
 */
export function readResults(path) {
  let results
  try {
    results = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new ScriptError(`${path} cannot be read as JSON: ${reasonOf(error)}`)
  }
  if (results?.schemaVersion === schemaVersion && Array.isArray(results.systems)) return results
  throw new ScriptError(
    `${path} is not a result of this benchmark (schema ${schemaVersion}). Make one with npm run bench -- --out ${path}`,
  )
}
