import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, type Page } from '@playwright/test'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[]
}

/** A fault anywhere is reported with where it was found, and hides none of the others. */
export function expectNoFaults() {
  const faults: string[] = []
  return {
    add: (where: string, found: readonly string[]) =>
      faults.push(...found.map((fault) => `${where}: ${fault}`)),
    end: () => expect([...new Set(faults)].join('\n')).toBe(''),
  }
}

/** What axe finds serious or critical on the page as it is, a line each: empty if nothing. */
export async function seriousProblems(page: Page): Promise<readonly string[]> {
  // As an expression, not as a script of the page: its content security policy lets no foreign one run.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe)
  const violations = (await page.evaluate(async () => {
    const { run } = (globalThis as unknown as { axe: { run: (...args: unknown[]) => Promise<unknown> } }).axe
    return ((await run(document, { resultTypes: ['violations'] })) as { violations: unknown }).violations
  })) as readonly Violation[]
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary.replace(/\s+/g, ' ')}`,
      ),
    )
}

/** What is wider than the window or than the part of the page that holds it: empty if nothing scrolls sideways. */
export async function tooWide(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const boxes = [
      document.documentElement,
      ...document.querySelectorAll<HTMLElement>(
        'main, .page, .talk, .ask, .side, dialog, .menu, .toast-card',
      ),
    ]
    return boxes
      .filter((box) => box.clientWidth > 0 && box.scrollWidth > box.clientWidth)
      .map((box) => `${box.tagName.toLowerCase()}.${box.className}: ${box.scrollWidth} in ${box.clientWidth}`)
  })
}

/** What moves by itself on the page now. */
export async function moving(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    document.getAnimations().map((animation) => {
      const { target, pseudoElement } = animation.effect as KeyframeEffect
      return `${target?.tagName.toLowerCase()}.${target?.className}${pseudoElement ?? ''}`
    }),
  )
}

/** What a finger can hardly hit: controls smaller than 40 px, links within text aside. */
export async function tooSmall(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const dialog = [...document.querySelectorAll('dialog[open]')].at(-1)
    const controls = (dialog ?? document).querySelectorAll<HTMLElement>(
      'button, a[href], select, summary, textarea, input:not([type=hidden]), [role=button], [role=tab]',
    )
    return (
      [...controls]
        .filter((control) => control.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
        .filter((control) => control.closest('.prose, p, dd, .visually-hidden, .skip') === null)
        // Who hits the word of a box hits the box.
        .map((control) => (control.matches('input') ? (control.closest('label') ?? control) : control))
        .map((control) => ({ control, box: control.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 1 && box.height > 1 && (box.height < 39.5 || box.width < 39.5))
        .map(({ control, box }) => {
          const name = control.getAttribute('aria-label') ?? control.textContent ?? ''
          return `${control.tagName.toLowerCase()} "${name.trim().slice(0, 40)}": ${Math.round(box.width)} x ${Math.round(box.height)}`
        })
    )
  })
}
