import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = fileURLToPath(new URL('..', import.meta.url))

/** Classes that a file gives their looks by their name alone, with no other selector around. */
function ownClasses(css: string): readonly string[] {
  const rules = css.replaceAll(/\/\*[\s\S]*?\*\//g, '').matchAll(/(?:^|[};])([^{};@]+)\{/g)
  return [...rules].flatMap(([, selectors]) =>
    selectors!.split(',').flatMap((selector) => /^\.([\w-]+)$/.exec(selector.trim())?.[1] ?? []),
  )
}

test('a class is given its looks in one room: the same name in two rooms would dress both', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.css'),
  )
  const places = new Map<string, Set<string>>()
  for (const file of files) {
    for (const name of ownClasses(readFileSync(join(source, file), 'utf8'))) {
      places.set(name, (places.get(name) ?? new Set()).add(dirname(file)))
    }
  }
  expect(places.size).toBeGreaterThan(50)
  expect([...places].filter(([, where]) => where.size > 1).map(([name, where]) => [name, ...where])).toEqual(
    [],
  )
})
