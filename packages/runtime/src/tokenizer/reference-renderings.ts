// What tests of chat templates share: transformers' renderings, as scripts/fixtures/chat_templates.py wrote them.

import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isBrasaError } from '../errors.ts'
import type { ChatTemplate, TemplateMessage, TemplateValue } from './chat-template.ts'

interface Case {
  readonly template: string
  readonly conversation: string
  readonly tools: boolean
  readonly prompt: boolean
  readonly text?: string
  readonly raises?: string
}

const folder = new URL('fixtures/', import.meta.url)
const { now, tools, conversations, cases } = JSON.parse(
  readFileSync(new URL('chat-templates.json', folder), 'utf8'),
) as {
  now: string
  tools: TemplateValue[]
  conversations: Record<string, TemplateMessage[]>
  cases: Case[]
}

/** Templates of ours by name; each opens with a comment that says whose ways it has. */
export const ownTemplates: ReadonlyMap<string, string> = new Map(
  readdirSync(new URL('chat-templates/', folder)).map((file) => [
    file.replace('.jinja', ''),
    readFileSync(new URL(`chat-templates/${file}`, folder), 'utf8'),
  ]),
)

/** Defines the tests that hold the template called `name` to what transformers makes of it. */
export function expectRenderings(name: string, { render }: ChatTemplate): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date(now), toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const own = cases.filter(({ template }) => template === name)
  if (own.length === 0) throw new Error(`There are no renderings of ${name}.`)
  test.each(own)('$conversation, tools: $tools, prompt: $prompt', (expected) => {
    const options = { addGenerationPrompt: expected.prompt, ...(expected.tools && { tools }) }
    expect(attempt(() => render(conversations[expected.conversation]!, options))).toEqual(
      expected.raises === undefined ? { text: expected.text } : { raises: expected.raises },
    )
  })
}

function attempt(render: () => string): { text: string } | { raises: unknown } {
  try {
    return { text: render() }
  } catch (error) {
    if (isBrasaError(error) && error.code === 'template_failed') return { raises: error.details.reason }
    throw error
  }
}
