// @ts-check
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultTests, parseTests } from '../e2e/bench/tests.mjs'
import { reasonOf, ScriptError } from './command-line.mjs'

const defaultBackends = 'webgpu,wasm,ort'
const defaultPeers = 'wllama-1,wllama-2,wllama-webgpu,transformers,webllm'

const usage = `Usage: npm run bench -- [options]
  --backends LIST    of ours: webgpu, wasm, wasm-1 (one thread), wasm-int8 and wasm-f32 (activations), ort;
                     ${defaultBackends} if left out, or none
  --peers LIST       wllama-1, wllama-2 (threads), wllama-webgpu, transformers, webllm; all of these if left out, or none;
                     and llama.cpp, native and outside the browser, which is fetched when it is named
  --model MODEL      a name of public/models/models.json or a GGUF file; the default model if left out
  --tests LIST       pp128, pp512, tg64, tg128, ttft, load, busy, batch4, ctx2048 and the like; ${defaultTests} if left out
  --repeats N        rounds that count, after one that does not; 3 if left out
  --baseline LIST    systems that ratios are taken to, such as brasa-ort, the table's first; wllama-2 if left out, and llama.cpp where
                     it runs
  --linears LIST     of ort: f32, int8 or both, each a row; its own choice if left out
  --variants LIST    of webgpu: base, fused, quads, each a row; the fastest by its own measurement if left out
  --transformers-model DIR   an ONNX model as transformers.js reads it, where its hub is out of reach
  --webllm-model DIR         a compiled model with its .wasm library, where WebLLM's hub is out of reach
  --out FILE         where the JSON goes; bench/results/<date>-<machine>.json if left out
  --html FILE        write a report with charts, too
  --gpu              use this machine's GPU instead of the software adapter
  --headed           show the browser
  --channel NAME     an installed browser, such as chrome or msedge
  --browser-args "ARGS"      more arguments for the browser
  --prompts FILE     [{ "name", "text", "maxTokens" }]: run these on our backends instead, and write their answers to --out
  --verbose          show the pages' console`

const knownBackends = /** @type {const} */ (['webgpu', 'wasm', 'wasm-1', 'wasm-int8', 'wasm-f32', 'ort'])
const knownPeers = [...defaultPeers.split(','), 'llama.cpp']

/** @param {string[]} args */
export function readOptions(args) {
  const values = parse(args)
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const catalogue = readCatalogue()
  const model = values.model ?? catalogue.default
  const isFile = values.model !== undefined && existsSync(values.model)
  const prompts = values.prompts === undefined ? undefined : readPrompts(values.prompts)
  return {
    backends: listOf(values.backends ?? (prompts ? 'webgpu' : defaultBackends), knownBackends, 'backend'),
    peers: listOf(values.peers ?? defaultPeers, knownPeers, 'peer'),
    linears: listOf(values.linears ?? 'none', ['f32', 'int8'], 'kind of linear layer'),
    variants: listOf(values.variants ?? 'none', ['base', 'fused', 'quads'], 'variant'),
    model: isFile ? resolve(model) : model,
    isFile,
    tests: testsOf(values.tests ?? defaultTests),
    numRounds: countOf(values.repeats ?? '3'),
    baselines: (values.baseline ?? 'wllama-2,llama.cpp').split(',').filter((id) => id !== ''),
    folders: { transformers: values['transformers-model'], webllm: values['webllm-model'] },
    browser: {
      gpu: values.gpu ?? false,
      headed: values.headed ?? false,
      ...(values.channel !== undefined && { channel: values.channel }),
      args: (values['browser-args'] ?? '').split(/\s+/).filter((arg) => arg !== ''),
      ...(values.verbose && { onConsole: (/** @type {string} */ line) => console.error(`page: ${line}`) }),
    },
    prompts,
    out: values.out,
    html: values.html,
    command: commandOf(args),
  }
}

/**
 * What measures the same again: where the results went is left out.
 * @param {string[]} args
 */
export function commandOf(args) {
  const kept = args.filter((arg, index) => {
    const isPlace = (/** @type {string | undefined} */ other) => other === '--out' || other === '--html'
    return !isPlace(arg) && !isPlace(args[index - 1]) && !/^--(out|html)=/.test(arg)
  })
  return `npm run bench${kept.length > 0 ? ` -- ${kept.map(quoted).join(' ')}` : ''}`
}

/** @param {string[]} args */
function parse(args) {
  const text = /** @type {const} */ ({ type: 'string' })
  const flag = /** @type {const} */ ({ type: 'boolean' })
  try {
    return parseArgs({
      args,
      options: {
        backends: text,
        peers: text,
        model: text,
        tests: text,
        repeats: text,
        baseline: text,
        linears: text,
        variants: text,
        'transformers-model': text,
        'webllm-model': text,
        out: text,
        html: text,
        gpu: flag,
        headed: flag,
        channel: text,
        'browser-args': text,
        prompts: text,
        verbose: flag,
        help: flag,
      },
    }).values
  } catch (error) {
    throw new ScriptError(`${reasonOf(error)}\n${usage}`)
  }
}

/** @param {string} list */
function testsOf(list) {
  try {
    return parseTests(list)
  } catch (error) {
    throw new ScriptError(reasonOf(error))
  }
}

/**
 * @template {string} Name
 * @param {string} text
 * @param {readonly Name[]} known
 * @param {string} what
 * @returns {Name[]}
 */
function listOf(text, known, what) {
  if (text === 'none') return []
  const names = text.split(',').filter((name) => name !== '')
  const unknown = names.find((name) => known.every((one) => one !== name))
  if (unknown === undefined) return known.filter((name) => names.includes(name))
  throw new ScriptError(`There is no ${what} "${unknown}". There are ${known.join(', ')}.`)
}

/** @param {string} text */
function countOf(text) {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= 100) return count
  throw new ScriptError(`--repeats is a number from 1 to 100, not "${text}".`)
}

const quoted = (/** @type {string} */ arg) => (/^[\w./:,=-]+$/.test(arg) ? arg : JSON.stringify(arg))

/** @returns {{ default: string }} */
function readCatalogue() {
  return JSON.parse(readFileSync(new URL('../public/models/models.json', import.meta.url), 'utf8'))
}

/**
 * @param {string} file
 * @returns {import('../e2e/bench/measure.mjs').Prompt[]}
 */
function readPrompts(file) {
  let prompts
  try {
    prompts = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ScriptError(`${file} cannot be read as JSON: ${reasonOf(error)}`)
  }
  const isPrompt = (/** @type {any} */ prompt) =>
    typeof prompt?.name === 'string' && typeof prompt.text === 'string' && Number.isInteger(prompt.maxTokens)
  if (Array.isArray(prompts) && prompts.length > 0 && prompts.every(isPrompt)) return prompts
  throw new ScriptError(`${file} must be a list of { "name": string, "text": string, "maxTokens": number }.`)
}
