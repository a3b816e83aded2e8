// @ts-check
import { execFile, fork } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { root } from '../../../scripts/command-line.mjs'
import { loadPrompt } from '../prompts.mjs'
import { failure } from '../system.mjs'

/**
 * @typedef {import('../system.mjs').System} System
 * @typedef {import('../system.mjs').Session} Session
 *
 * @typedef {object} Setting
 * @property {string} path of the model's file
 * @property {import('../schema.mjs').ModelFile} file
 * @property {number} contextLength of each request
 * @property {number} streams requests at once, at most
 *
 * @typedef {object} LoadedModel
 * @property {number} readyMs
 * @property {number} totalMs
 *
 * @typedef {{ is: 'load', path: string, contextLength: number, streams: number, numThreads: number, prompt: string }
 *   | ({ is: 'run' } & import('../system.mjs').CompletionRequest)
 *   | ({ is: 'follow' } & import('../system.mjs').ReferenceCase)} Order
 */

const version = '3.22.1'
const numThreads = 2
const folder = join(root, '.cache', 'node-llama-cpp')

/**
 * llama.cpp itself, native and outside the browser, by node-llama-cpp: what the processor can do without a browser around it.
 * Fetched when it is first asked for, since nothing else of this project needs it.
 * @param {Setting} setting
 * @returns {System}
 */
export const llamaCpp = (setting) => ({
  id: 'llama.cpp',
  name: 'llama.cpp native',
  open: async () => {
    await fetchPackage()
    return startSession(setting, folder)
  },
})

/** The version that was fetched, if it was. */
export function llamaCppVersion() {
  const path = join(folder, 'node_modules', 'node-llama-cpp', 'package.json')
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : 'not installed'
}

/** Its packages for other processors and for GPUs are 670 MB: only this one's is asked for. */
async function fetchPackage() {
  if (llamaCppVersion() === version) return
  /** @type {Record<string, string>} */
  const binaries = {
    'linux-x64': 'linux-x64',
    'linux-arm64': 'linux-arm64',
    'darwin-x64': 'mac-x64',
    'darwin-arm64': 'mac-arm64-metal',
    'win32-x64': 'win-x64',
    'win32-arm64': 'win-arm64',
  }
  const binary = binaries[`${process.platform}-${process.arch}`]
  if (binary === undefined)
    throw failure('unavailable', `node-llama-cpp has no build for ${process.platform} ${process.arch}.`)
  mkdirSync(folder, { recursive: true })
  const packages = [`node-llama-cpp@${version}`, `@node-llama-cpp/${binary}@${version}`]
  const flags = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder]
  await promisify(execFile)('npm', ['install', ...flags, ...packages], {
    cwd: folder,
    timeout: 50_000,
  }).catch(() => {
    throw failure(
      'unavailable',
      `npm could not fetch node-llama-cpp ${version}. With a network: npm install ${[...flags.slice(0, -1), '.cache/node-llama-cpp', ...packages].join(' ')}`,
    )
  })
}

/**
 * @param {Setting} setting
 * @param {string} folder where node-llama-cpp is installed
 * @returns {Session}
 */
export function startSession({ path, file, contextLength, streams }, folder) {
  // A process of its own: it may crash or hang like a browser.
  const child = fork(fileURLToPath(new URL('llama-cpp-process.mjs', import.meta.url)), [folder], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
  })
  const ask = askerOf(child)
  return {
    load: async () => {
      const prompt = loadPrompt()
      /** @type {LoadedModel} */
      const { readyMs, totalMs } = await ask({ is: 'load', path, contextLength, streams, numThreads, prompt })
      const bytes = file.weightBytesPerToken
      return {
        time: { totalMs, firstTokenMs: totalMs - readyMs },
        facts: {
          device: `CPU, ${numThreads} threads, native`,
          detail: 'outside the browser, from a file on disk',
          file: { name: file.file, bytes: file.bytes, isSameFile: true },
          weightBytesPerToken: bytes,
          limit: { device: 'cpu', threads: numThreads, bytes },
        },
      }
    },
    run: (request) => ask({ is: 'run', ...request }),
    follow: (reference) => ask({ is: 'follow', ...reference }),
    close: async () => {
      child.kill('SIGKILL')
    },
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {(order: Order) => Promise<any>} one at a time
 */
function askerOf(child) {
  let isGone = false
  child.on('exit', () => {
    isGone = true
  })
  return (order) =>
    new Promise((resolve, reject) => {
      const crash = () => reject(failure('crashed', 'Its process ended.'))
      if (isGone) return crash()
      child.once('exit', crash)
      child.once('message', (/** @type {{ answer?: unknown, error?: string }} */ { answer, error }) => {
        child.off('exit', crash)
        if (error === undefined) resolve(answer)
        else reject(new Error(error))
      })
      child.send(order)
    })
}
