import { thoughtTags } from '../tokenizer/vocabulary.ts'
import { longestPartialStop } from './stop-strings.ts'

/** A piece of what a model wrote: of its thought, of its answer, or of both where one ended in it. */
export interface Spoken {
  readonly thought: string
  readonly text: string
}

export interface ThoughtSplitter {
  push(text: string): Spoken
  /** What was held back, when the model has ended. A thought that was not closed stays a thought. */
  end(): Spoken
}

/** For models that do not think, and for raw prompts. */
export const noThoughts: ThoughtSplitter = {
  push: (text) => ({ thought: '', text }),
  end: () => ({ thought: '', text: '' }),
}

/**
 * Keeps what a model thinks, between `thoughtTags`, apart from what it answers. The tags may arrive in pieces and are never part of
 * either; neither is the white space around a thought.
 *
 * @param isOpen whether the prompt has opened a thought already
 */
export function createThoughtSplitter(isOpen: boolean): ThoughtSplitter {
  const tags = Object.values(thoughtTags)
  let thinking = isOpen
  /** Could be the beginning of a tag. */
  let held = ''
  const thought = trimmedText({ atEnd: true })
  let answer = trimmedText({ atStart: true })

  function split(given: string, keepsPartialTag: boolean): Spoken {
    let rest = held + given
    const said = { thought: '', text: '' }
    const say = (part: string) => {
      if (thinking) said.thought += thought.push(part)
      else said.text += answer.push(part)
    }
    for (;;) {
      const [at, tag] = firstOf(tags, rest)
      if (tag === undefined) break
      say(rest.slice(0, at))
      rest = rest.slice(at + tag.length)
      // A tag that changes nothing, such as one that closes what is not open, is dropped all the same.
      if (thinking) answer = trimmedText({ atStart: true })
      thinking = tag === thoughtTags.open
    }
    held = keepsPartialTag ? rest.slice(rest.length - longestPartialStop(rest, tags)) : ''
    say(rest.slice(0, rest.length - held.length))
    return said
  }

  return {
    push: (text) => split(text, true),
    end: () => split('', false),
  }
}

/** The first place in `text` where one of `names` stands. */
function firstOf(names: readonly string[], text: string): [number, string | undefined] {
  const found = names
    .map((name): [number, string] => [text.indexOf(name), name])
    .filter(([at]) => at >= 0)
    .sort(([one], [other]) => one - other)[0]
  return found ?? [-1, undefined]
}

/** Text as it comes, without white space at its start, or at its end: there it is held back until more follows. */
function trimmedText({ atStart = false, atEnd = false }): { push(text: string): string } {
  let begun = !(atStart || atEnd)
  let space = ''
  return {
    push(given) {
      const text = begun ? space + given : given.trimStart()
      if (text !== '') begun = true
      const kept = atEnd ? text.trimEnd() : text
      space = text.slice(kept.length)
      return kept
    },
  }
}
