// @ts-check
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { reasonOf, runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureBuilt, ensureInstalled } from './setup.mjs'

const usage = `Usage: npm run bench -- [options]
  --backends LIST   webgpu by default; several with commas between them
  --model MODEL     a name of public/models/models.json, a URL, or a GGUF file; the default model if left out
  --prompts FILE    [{ "name", "text", "maxTokens" }]: run these instead of measuring the three speeds
  --out FILE        write the records there as JSON
  --gpu             use this machine's GPU instead of the software adapter
  --verbose         show the page's console`

await runAsScript(import.meta.url, async (args) => {
  const options = readOptions(args)
  ensureInstalled()
  if (!options.isFile && !/[:/]/.test(options.model))
    await fetchModel({ id: options.model, log: console.error })
  ensureBuilt()
  const { loadEngine, openBenchPage } = await import('../e2e/bench/session.mjs')
  const { measureSpeeds, runPrompt } = await import('../e2e/bench/measure.mjs')

  const records = []
  let numFailed = 0
  for (const backend of options.backends) {
    const log = (/** @type {string} */ line) => console.error(`${backend}: ${line}`)
    // A page of its own for each backend: what one leaves behind in memory must not slow the next.
    const { page, close } = await openBenchPage({
      gpu: options.gpu,
      ...(options.verbose && { onConsole: (line) => console.error(`page: ${line}`) }),
    })
    try {
      const engine = await loadEngine(page, { ...options, backend, onProgress: log })
      if (options.prompts === undefined) {
        const speeds = await measureSpeeds(engine, log)
        records.push({ model: options.model, ...speeds })
        console.log(describeSpeeds(speeds))
      } else {
        for (const prompt of options.prompts) {
          const record = await runPrompt(engine, prompt)
          records.push(record)
          console.log(describeRecord(record))
        }
      }
      await engine.evaluate((engine) => engine.dispose())
    } catch (error) {
      numFailed++
      console.error(`error: ${backend}: ${reasonOf(error)}`)
    } finally {
      await close()
    }
  }
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(records, null, 2)}\n`)
  process.exit(numFailed === 0 ? 0 : 1)
})

/** @param {string[]} args */
function readOptions(args) {
  const { values } = parse(args)
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const model = values.model ?? defaultModel()
  const isFile = values.model !== undefined && existsSync(values.model)
  return {
    backends: (values.backends ?? 'webgpu').split(',').filter((name) => name !== ''),
    model: isFile ? resolve(model) : model,
    isFile,
    prompts: values.prompts === undefined ? undefined : readPrompts(values.prompts),
    out: values.out,
    gpu: values.gpu ?? false,
    verbose: values.verbose ?? false,
  }
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      options: {
        backends: { type: 'string' },
        model: { type: 'string' },
        prompts: { type: 'string' },
        out: { type: 'string' },
        gpu: { type: 'boolean' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new ScriptError(`${reasonOf(error)}\n${usage}`)
  }
}

/** @returns {string} */
function defaultModel() {
  const catalogue = JSON.parse(readFileSync(new URL('../public/models/models.json', import.meta.url), 'utf8'))
  return catalogue.default
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

/** @param {Awaited<ReturnType<typeof import('../e2e/bench/measure.mjs').measureSpeeds>>} speeds */
function describeSpeeds(speeds) {
  const figure = (/** @type {number | undefined} */ value, /** @type {number} */ digits) =>
    value === undefined ? 'not measured' : value.toFixed(digits)
  return `
${speeds.backend} on ${speeds.adapter}
  decode at a short context      ${figure(speeds.decodeTokensPerSecond, 1)} tok/s
  prefill of 256 tokens          ${figure(speeds.prefillTokensPerSecond, 1)} tok/s
  a token at position 100        ${figure(speeds.msPerTokenAt100, 1)} ms
  a token at position 2,000      ${figure(speeds.msPerTokenAt2000, 1)} ms, ${figure(speeds.longContextRatio, 2)} times that
  device work a token            ${describeWork(speeds.perToken)}`
}

/** @param {Awaited<ReturnType<typeof import('../e2e/bench/measure.mjs').runPrompt>>} record */
function describeRecord(record) {
  return `
${record.name}: ${record.backend} on ${record.adapter}
  ${JSON.stringify(record.text)}
  ${record.promptTokens.length} prompt tokens at ${record.prefillTokensPerSecond.toFixed(1)} tok/s, first token after ${record.ttftMs.toFixed(0)} ms, ${record.tokens.length} tokens at ${record.decodeTokensPerSecond.toFixed(1)} tok/s
  device work a token: ${describeWork(record.perToken)}`
}

/** @param {Record<string, number>} perToken */
function describeWork(perToken) {
  return Object.entries(perToken)
    .map(([name, count]) => `${Math.round(count * 100) / 100} ${name}`)
    .join(', ')
}
