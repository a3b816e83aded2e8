// @ts-check
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describeQuality, describeRecord, describeSpeeds } from './bench-report.mjs'
import { reasonOf, runAsScript, ScriptError } from './command-line.mjs'
import { fetchModel } from './fetch-model.mjs'
import { ensureBuilt, ensureInstalled } from './setup.mjs'

const usage = `Usage: npm run bench -- [options]
  --backends LIST   webgpu by default; ort; several with commas between them
  --linears LIST    f32, int8 or both, of ort: each is measured by itself; its own choice if left out
  --quality         how near the default model is to a float64 reference, instead of the speeds
  --model MODEL     a name of public/models/models.json, a URL, or a GGUF file; the default model if left out
  --prompts FILE    [{ "name", "text", "maxTokens" }]: run these instead of measuring the speeds
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
  const { measureQuality } = await import('../e2e/bench/quality.mjs')

  /** @type {object[]} */
  const records = []
  const report = (/** @type {object} */ record, /** @type {string} */ description) => {
    records.push({ model: options.model, ...record })
    console.log(description)
  }
  let numFailed = 0
  for (const { name, ...setting } of settingsOf(options)) {
    const log = (/** @type {string} */ line) => console.error(`${name}: ${line}`)
    // A page of its own for each setting: what one leaves behind in memory must not slow the next.
    const { page, close } = await openBenchPage({
      gpu: options.gpu,
      ...(options.verbose && { onConsole: (line) => console.error(`page: ${line}`) }),
    })
    try {
      const { model, isFile } = options
      const load = () => loadEngine(page, { model, isFile, ...setting, onProgress: log })
      let engine = await load()
      if (options.quality) {
        const quality = await measureQuality(engine, log)
        report(quality, describeQuality(quality))
      } else if (options.prompts !== undefined) {
        for (const prompt of options.prompts) {
          const record = await runPrompt(engine, prompt)
          report(record, describeRecord(record))
        }
      } else {
        // Again, now that the browser has the model: what a person meets on every visit but the first.
        await engine.evaluate((engine) => engine.dispose())
        const start = performance.now()
        engine = await load()
        const loadMs = performance.now() - start
        const speeds = { loadMs, ...(await measureSpeeds(engine, log)) }
        report(speeds, describeSpeeds(speeds, options.f32Bytes))
      }
      await engine.evaluate((engine) => engine.dispose())
    } catch (error) {
      numFailed++
      console.error(`error: ${name}: ${reasonOf(error)}`)
    } finally {
      await close()
    }
  }
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(records, null, 2)}\n`)
  process.exit(numFailed === 0 ? 0 : 1)
})

/**
 * What is measured, one after the other.
 * @param {{ backends: readonly string[], linears: readonly string[] }} options
 * @returns {{ name: string, backend: string, linears?: string }[]}
 */
function settingsOf({ backends, linears }) {
  return backends.flatMap((backend) =>
    backend === 'ort' && linears.length > 0
      ? linears.map((format) => ({ name: `${backend} ${format}`, backend, linears: format }))
      : [{ name: backend, backend }],
  )
}

/** @param {string[]} args */
function readOptions(args) {
  const { values } = parse(args)
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  const catalogue = readCatalogue()
  const model = values.model ?? catalogue.default
  const isFile = values.model !== undefined && existsSync(values.model)
  const listOf = (/** @type {string} */ text) => text.split(',').filter((name) => name !== '')
  const linears = listOf(values.linears ?? '')
  const unknown = linears.find((format) => format !== 'f32' && format !== 'int8')
  if (unknown !== undefined) throw new ScriptError(`Linears are f32 or int8, not "${unknown}".`)
  if (values.quality && (model !== catalogue.default || values.prompts !== undefined)) {
    throw new ScriptError(
      '--quality has a reference for the default model and prompts of its own: leave --model and --prompts out.',
    )
  }
  const { parameters } = catalogue.models.find(({ id }) => !isFile && id === model) ?? {}
  return {
    backends: listOf(values.backends ?? 'webgpu'),
    linears,
    quality: values.quality ?? false,
    f32Bytes: typeof parameters === 'number' ? 4 * parameters : undefined,
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
        linears: { type: 'string' },
        quality: { type: 'boolean' },
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

/** @returns {{ default: string, models: { id: string, parameters: number | string }[] }} */
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
