// The worker that compiles grammars and computes masks, beside the device's own work. What fails here aborts the library for good,
// and what takes too long cannot be stopped from inside: matcher-lane.ts then ends this worker.

import type { CompiledGrammar, GrammarCompiler, GrammarMatcher } from '@mlc-ai/web-xgrammar'
import * as imported from '@mlc-ai/web-xgrammar'
import type { Structure } from './structure.ts'
import type { ConstraintVocabulary } from './vocabulary.ts'

export type MatcherRequest =
  | { readonly type: 'start'; readonly vocabulary: ConstraintVocabulary }
  | { readonly type: 'compile'; readonly structure: Structure }
  /** `tokens` are those that the answer has already. */
  | {
      readonly type: 'open'
      readonly id: number
      readonly structure: Structure
      readonly tokens: readonly number[]
    }
  | { readonly type: 'accept'; readonly id: number; readonly tokens: readonly number[] }
  | { readonly type: 'free'; readonly id: number }

export type MatcherReply =
  | { readonly type: 'done' }
  /** No mask once the answer has ended. */
  | { readonly type: 'mask'; readonly mask?: Uint32Array<ArrayBuffer> }
  /** The token is not of the grammar. */
  | { readonly type: 'refused'; readonly token: number }
  | { readonly type: 'failed'; readonly message: string }

// The package is one script for all module systems: in a module it leaves its exports in the global scope.
type Library = typeof imported
const scope = globalThis as { xgrammar?: Library }
const library: Library = 'GrammarMatcher' in imported ? imported : scope.xgrammar!

const maxCompiled = 32
const compiled = new Map<string, CompiledGrammar>()
const matchers = new Map<number, GrammarMatcher>()
let compiler: GrammarCompiler | undefined
let lastComplaint = ''
console.error = (...words: unknown[]) => {
  lastComplaint = words.join(' ')
}

async function compile(structure: Structure): Promise<CompiledGrammar> {
  const key = JSON.stringify(structure)
  const known = compiled.get(key)
  compiled.delete(key)
  const grammar =
    known ??
    (structure.kind === 'tag'
      ? await compiler!.compileStructuralTag(structure.tag)
      : await compiler!.compileGrammar(structure.ebnf))
  compiled.set(key, grammar)
  for (const [oldest, old] of compiled) {
    if (compiled.size <= maxCompiled) break
    compiled.delete(oldest)
    old.dispose()
  }
  return grammar
}

async function accept(matcher: GrammarMatcher, tokens: readonly number[]): Promise<MatcherReply> {
  for (const token of tokens) {
    if (matcher.isTerminated()) break
    if (!matcher.acceptToken(token)) return { type: 'refused', token }
  }
  if (matcher.isTerminated()) return { type: 'mask' }
  const mask = await matcher.getNextTokenBitmask()
  return { type: 'mask', mask: new Uint32Array(mask.buffer as ArrayBuffer) }
}

async function answer(request: MatcherRequest): Promise<MatcherReply> {
  switch (request.type) {
    case 'start': {
      const { tokens, stopTokens } = request.vocabulary
      const info = await library.TokenizerInfo.createTokenizerInfo(
        [...tokens],
        'byte_level',
        false,
        tokens.length,
        [...stopTokens],
      )
      // Its own cache would grow with every schema.
      compiler = await library.GrammarCompiler.createGrammarCompiler(info, false)
      return { type: 'done' }
    }
    case 'compile':
      await compile(request.structure)
      return { type: 'done' }
    case 'open': {
      const matcher = await library.GrammarMatcher.createGrammarMatcher(await compile(request.structure))
      matchers.set(request.id, matcher)
      return accept(matcher, request.tokens)
    }
    case 'accept':
      return accept(matchers.get(request.id)!, request.tokens)
    case 'free':
      matchers.get(request.id)?.dispose()
      matchers.delete(request.id)
      return { type: 'done' }
  }
}

globalThis.onmessage = async ({ data }: MessageEvent<MatcherRequest>) => {
  const reply = await answer(data).catch(
    (error): MatcherReply => ({ type: 'failed', message: lastComplaint || String(error) }),
  )
  postMessage(reply, { transfer: reply.type === 'mask' && reply.mask ? [reply.mask.buffer] : [] })
}
