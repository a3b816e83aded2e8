import { words } from './words.ts'

/** A sentence of the engine, which speaks English, in the page's language where that has one; else as it is. */
export function engineWords(sentence: string): string {
  const known = words.value.engine.find(([pattern]) => pattern.test(sentence))
  if (known === undefined) return sentence
  // What a sentence repeats is often one of the engine as well: a reason, a device.
  return sentence.replace(known[0], (_, ...parts) =>
    known[1].replace(/\$(\d)/g, (_, number: string) => engineWords(String(parts[Number(number) - 1]))),
  )
}
