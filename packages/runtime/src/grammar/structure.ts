import { BrasaError } from '../errors.ts'
import type { StructuredFormat, ToolDefinition } from '../protocol.ts'
import { plainly } from './characters.ts'
import { createRules, type Expression, type Rules } from './expression.ts'
import { jsonObject, jsonSchema } from './json-schema.ts'
import { regularExpression } from './regular-expression.ts'
import { toolCallTags } from './tool-calls.ts'

/** What XGrammar compiles. */
export type Structure =
  | { readonly kind: 'grammar'; readonly ebnf: string }
  /** JSON text of a structural tag. */
  | { readonly kind: 'tag'; readonly tag: string }

const maxGrammarLength = 100_000

/** @throws BrasaError `invalid_request` for what is not supported or too large */
export function structureOf(format: StructuredFormat): Structure {
  switch (format.type) {
    case 'json_object':
      return grammar(jsonObject)
    case 'json_schema':
      return grammar((rules) => jsonSchema(format.schema, rules))
    case 'regex':
      return grammar((rules) => regularExpression(format.pattern, rules, plainly))
    case 'ebnf':
      if (format.grammar.length <= maxGrammarLength) return { kind: 'grammar', ebnf: format.grammar }
      throw invalid(`The grammar has ${format.grammar.length} characters; ${maxGrammarLength} are the most.`)
    case 'tools':
      return { kind: 'tag', tag: JSON.stringify({ type: 'structural_tag', format: toolsTag(format) }) }
  }
}

function grammar(describe: (rules: Rules) => Expression): Structure {
  return { kind: 'grammar', ebnf: ebnfOf(describe) }
}

function ebnfOf(describe: (rules: Rules) => Expression): string {
  const rules = createRules()
  const root = describe(rules)
  if (rules.isProductive(root)) return rules.print(root)
  throw invalid('The pattern matches no text.')
}

function toolsTag({ tools, choice, parallel }: Extract<StructuredFormat, { type: 'tools' }>): object {
  const offered =
    typeof choice === 'string' ? tools : tools.filter(({ function: { name } }) => name === choice.name)
  if (offered.length === 0) throw invalid('The tool that is to be called is not among the tools.')
  const tags = offered.map(({ function: { name, parameters } }) => ({
    type: 'tag',
    begin: toolCallTags.begin(name),
    content: {
      type: 'grammar',
      grammar: ebnfOf((rules) => jsonSchema(argumentsSchema(name, parameters), rules)),
    },
    end: toolCallTags.end,
  }))
  const only = {
    tags,
    at_least_one: choice !== 'auto',
    stop_after_first: !parallel || typeof choice !== 'string',
  }
  if (choice === 'auto') return { type: 'triggered_tags', triggers: [toolCallTags.open], ...only }
  return { type: 'tags_with_separator', separator: '\n', ...only }
}

function argumentsSchema(name: string, parameters: ToolDefinition['function']['parameters']): object {
  if (parameters === undefined) return { type: 'object', additionalProperties: false }
  const { type = 'object' } = parameters
  if (type !== 'object') throw invalid(`The parameters of the tool "${name}" are no schema of an object.`)
  return '$ref' in parameters || 'anyOf' in parameters ? parameters : { ...parameters, type }
}

function invalid(message: string): BrasaError {
  return new BrasaError('invalid_request', { message })
}
