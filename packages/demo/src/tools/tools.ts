import type { ToolDefinition } from '@brasa/runtime'
import { calculate, formatValue } from './calculator.ts'
import { tellTime } from './clock.ts'
import { ToolError } from './tool-error.ts'

/** Tools that run in the page: nothing of a call leaves it. */
export const toolNames = ['calculator', 'clock'] as const

export type ToolName = (typeof toolNames)[number]

interface Tool {
  readonly definition: ToolDefinition
  /** @throws ToolError */
  run(given: Readonly<Record<string, unknown>>): string
}

/** Numbers with operators between them: held to it, a small model comes to an end and tells no stories in the argument. */
const operand = '-?\\(*((sqrt|abs|round|sin|cos|tan|log|ln|exp)\\(+)?([0-9]{1,15}(\\.[0-9]{1,10})?|pi|e)\\)*'
const expressionPattern = `^${operand}( ?[-+*/%^] ?${operand}){0,12}$`

const tools: Readonly<Record<ToolName, Tool>> = {
  calculator: {
    definition: {
      type: 'function',
      function: {
        name: 'calculator',
        description: 'Computes the value of an arithmetic expression.',
        parameters: {
          type: 'object',
          properties: {
            expression: {
              type: 'string',
              description: 'Such as "3 * (4 + 5)" or "sqrt(2)"',
              pattern: expressionPattern,
            },
          },
          required: ['expression'],
          additionalProperties: false,
        },
        strict: true,
      },
    },
    run: ({ expression }) => formatValue(calculate(String(expression ?? ''))),
  },
  clock: {
    definition: {
      type: 'function',
      function: {
        name: 'clock',
        description: 'Tells the date and the time of day.',
        parameters: {
          type: 'object',
          properties: {
            time_zone: {
              type: 'string',
              description: 'Such as "Europe/Madrid" or "UTC"; "local" for the user\'s own',
              pattern: '^[A-Za-z]{2,12}(/[A-Za-z_]{3,20}){0,2}$',
            },
          },
          required: ['time_zone'],
          additionalProperties: false,
        },
        strict: true,
      },
    },
    run: ({ time_zone }) => tellTime(new Date(), typeof time_zone === 'string' ? time_zone : undefined),
  },
}

export function toolDefinitions(names: readonly ToolName[]): readonly ToolDefinition[] {
  return names.map((name) => tools[name].definition)
}

export interface ToolResult {
  readonly result: string
  readonly failed?: true
  readonly tookMs: number
}

/** Never throws: what goes wrong is a text that the model can read and act on. */
export function runTool(name: string, json: string): ToolResult {
  const start = performance.now()
  const outcome = tryTool(name, json)
  return { ...outcome, tookMs: performance.now() - start }
}

function tryTool(name: string, json: string): Pick<ToolResult, 'result' | 'failed'> {
  const fail = (message: string) => ({ result: `Error: ${message}`, failed: true as const })
  if (!isToolName(name)) return fail(`There is no tool "${name}". There are: ${toolNames.join(', ')}.`)
  let given: unknown
  try {
    given = JSON.parse(json)
  } catch {
    return fail('The arguments are not JSON.')
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    return fail('The arguments are not a JSON object.')
  }
  try {
    return { result: tools[name].run(given as Record<string, unknown>) }
  } catch (error) {
    if (error instanceof ToolError) return fail(error.message)
    return fail('The tool failed.')
  }
}

export function isToolName(name: unknown): name is ToolName {
  return toolNames.some((known) => known === name)
}
