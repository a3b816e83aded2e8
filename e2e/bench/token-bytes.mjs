// @ts-check
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../../scripts/command-line.mjs'

/**
 * What each token of a byte-level vocabulary stands for, straight from the file: part of a character is no text of its own.
 * @param {string} path of a GGUF file
 * @returns {Promise<Uint8Array[]>} by token id
 */
export async function readTokenBytes(path) {
  const runtime = createRequire(join(root, 'packages', 'runtime', 'package.json'))
  const { gguf } = await import(pathToFileURL(runtime.resolve('@huggingface/gguf')).href)
  const { metadata } = await gguf(path, { allowLocalFile: true })
  const bytes = bytesByLetter()
  return metadata['tokenizer.ggml.tokens'].map((/** @type {string} */ token) => {
    const letters = [...token].map((letter) => bytes.get(letter))
    // A special token is written as it is.
    if (letters.includes(undefined)) return new TextEncoder().encode(token)
    return Uint8Array.from(/** @type {number[]} */ (letters))
  })
}

/** GPT-2's alphabet: a printable byte is the character of its number, any other the next one from 256 on. */
function bytesByLetter() {
  /** @type {Map<string, number>} */
  const bytes = new Map()
  let numOthers = 0
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
    bytes.set(String.fromCodePoint(isPrintable ? byte : 256 + numOthers++), byte)
  }
  return bytes
}

/**
 * @param {readonly Uint8Array[]} parts
 * @returns {string | undefined} undefined where they end or begin within a character
 */
export function textOf(parts) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts))
  } catch {
    return undefined
  }
}
