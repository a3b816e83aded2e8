import { BrasaError } from '../../errors.ts'

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/** Why ONNX Runtime did not load a model, from the only thing it gives: a sentence. */
export function loadError(name: string, error: unknown): BrasaError {
  const text = textOf(error)
  const operator = operatorOf(text)
  if (operator !== undefined) {
    return new BrasaError('unsupported_operator', {
      message: `ONNX Runtime Web has no operator ${operator}, which ${name} uses. Export the model with another opset, or without that operator.`,
      details: { operator },
      cause: error,
    })
  }
  if (isOutOfMemory(text)) return outOfMemory(name, error)
  if (/protobuf parsing failed|INVALID_PROTOBUF/i.test(text)) {
    return new BrasaError('not_an_onnx', {
      message: `${name} is not an ONNX model, or a damaged one. Check that it is the .onnx file itself.`,
      details: { name },
      cause: error,
    })
  }
  return new BrasaError('malformed_model', {
    message: `ONNX Runtime cannot load ${name}: ${text}. Export the model again.`,
    details: { name },
    cause: error,
  })
}

/** Why a run failed: the feeds had passed every check that the model's description allows. */
export function runError(name: string, error: unknown): BrasaError {
  const text = textOf(error)
  if (isOutOfMemory(text)) return outOfMemory(name, error)
  return new BrasaError(
    /INVALID_ARGUMENT|non-zero status code/i.test(text) ? 'invalid_request' : 'internal',
    {
      message: `${name} could not be run on these feeds: ${text}. Compare their shapes and values with what the model was made for.`,
      cause: error,
    },
  )
}

function operatorOf(text: string): string | undefined {
  const match =
    /No Op registered for (\S+)/.exec(text) ??
    /(\S+) is not a registered function\/op/.exec(text) ??
    /Could not find an implementation for (\S+?)\(/.exec(text) ??
    /Could not find an implementation for the node \S*?:?(\w+)\(/.exec(text)
  return match?.[1]
}

function isOutOfMemory(text: string): boolean {
  return /bad_alloc|out of memory|failed to allocate|Cannot enlarge memory/i.test(text)
}

function outOfMemory(name: string, cause: unknown): BrasaError {
  return new BrasaError('out_of_memory', {
    message: `There is not enough memory to run ${name}. Close other tabs, or use smaller batches or a smaller model.`,
    cause,
  })
}
