import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'
import { BrasaError, isBrasaError } from '../errors.ts'
import { asInJinja } from './as-in-jinja.ts'

/** UTF-16 units. The longest templates of the field, with all their tools, have 30,000. */
const maxTemplateLength = 128 * 1024
/** The library takes 18.8 s for a loop of a million turns; no template counts past a few. */
const maxRange = 10_000
/** Shorter than what the page waits before it takes the worker for dead. */
const maxRenderMs = 1_500

/**
 * A chat template as a function of its variables. It is parsed when first called, and runs with the globals that Hugging
 * Face's transformers gives to templates.
 *
 * A template comes with the model file and is a program. It has no access to the page; one that loops is stopped at the
 * next expression after its time is up. A single expression can still take long: run this where it can be killed.
 * @throws BrasaError `template_failed`
 */
export function templateProgram(source: string): (variables: Record<string, unknown>) => string {
  let program: ReturnType<typeof parse> | undefined
  return (variables) => {
    try {
      program ??= parseTemplate(source)
      return run(program, variables)
    } catch (error) {
      throw isBrasaError(error) ? error : templateFailed(error)
    }
  }
}

function parseTemplate(source: string) {
  if (source.length > maxTemplateLength) {
    throw new Error(`it has ${source.length} characters, and at most ${maxTemplateLength} are read`)
  }
  return parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }))
}

/** Runs with our own globals and a clock, which the library's `Template` does not have. */
function run(program: ReturnType<typeof parse>, variables: Record<string, unknown>): string {
  const environment = new Environment()
  for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value)
  const interpreter = new Interpreter(environment)
  const evaluate = interpreter.evaluate.bind(interpreter)
  const deadline = performance.now() + maxRenderMs
  interpreter.evaluate = (node, scope) => {
    if (performance.now() > deadline) throw new Error(`it ran for more than ${maxRenderMs} ms`)
    return evaluate(node && asInJinja(node, (part) => interpreter.evaluate(part, scope)), scope)
  }
  return String(interpreter.run(program).value)
}

/** What Hugging Face gives to templates besides the conversation. */
const globals = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception(reason: unknown) {
    throw new BrasaError('template_failed', {
      message: `The model's chat template refuses these messages: ${String(reason)} Change their roles or their order, or send a raw prompt to completions.`,
      details: { reason: String(reason) },
    })
  },
  range(start: number, stop?: number, step = 1): number[] {
    const [first, end] = stop === undefined ? [0, start] : [start, stop]
    const count = Math.max(0, Math.ceil((end - first) / step))
    if (!(count <= maxRange)) throw new Error(`it counts ${count} steps, and at most ${maxRange} are allowed`)
    return Array.from({ length: count }, (_, index) => first + index * step)
  },
  strftime_now: (format: string) => strftime(new Date(), format),
}

/** Of Python's directives those that templates use, in its English and in local time. The library's is part of what prints templates too. */
function strftime(date: Date, format: string): string {
  const month = (length: 'long' | 'short') => date.toLocaleString('en', { month: length })
  const padded = (value: number) => String(value).padStart(2, '0')
  const parts: Readonly<Record<string, () => string>> = {
    '%Y': () => String(date.getFullYear()),
    '%m': () => padded(date.getMonth() + 1),
    '%d': () => padded(date.getDate()),
    '%b': () => month('short'),
    '%B': () => month('long'),
    '%H': () => padded(date.getHours()),
    '%M': () => padded(date.getMinutes()),
    '%S': () => padded(date.getSeconds()),
    '%%': () => '%',
  }
  return format.replace(/%./g, (directive) => parts[directive]?.() ?? directive)
}

function templateFailed(cause: unknown): BrasaError {
  const overflow = cause instanceof RangeError
  const reason = overflow
    ? 'it nests too deeply or grows without end'
    : cause instanceof Error
      ? cause.message
      : String(cause)
  return new BrasaError('template_failed', {
    message: `The model's chat template does not run: ${reason}. Use another file of this model, or send a raw prompt to completions.`,
    details: { reason },
    cause,
  })
}
