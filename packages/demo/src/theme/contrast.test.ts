import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** WCAG 2.2, 1.4.3 and 1.4.11. */
const textRatio = 4.5
const edgeRatio = 3

type Theme = 'light' | 'dark'

/** The colour tokens of tokens.css as linear-light sRGB. */
function tokens(theme: Theme): Map<string, readonly number[]> {
  const css = readFileSync(new URL('./tokens.css', import.meta.url), 'utf8')
  const pairs = css.matchAll(/--([\w-]+):\s*light-dark\(oklch\(([^)]+)\),\s*oklch\(([^)]+)\)\)/g)
  return new Map(
    [...pairs].map(([, name, light, dark]) => [name!, linearRgb(theme === 'light' ? light! : dark!)]),
  )
}

/** OKLCH to linear sRGB: CSS Color 4, section 17.2, gamut clipped as a screen does. */
function linearRgb(oklch: string): readonly number[] {
  const [percent, chroma, hue] = oklch.split(/[\s/]+/).map(Number.parseFloat) as [number, number, number]
  const a = chroma * Math.cos((hue * Math.PI) / 180)
  const b = chroma * Math.sin((hue * Math.PI) / 180)
  const lightness = percent / 100
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((channel) => Math.min(1, Math.max(0, channel)))
}

function contrast(first: readonly number[], second: readonly number[]): number {
  const luminance = ([r, g, b]: readonly number[]) => 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
  const [dark, light] = [luminance(first), luminance(second)].sort((x, y) => x - y) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

test('the measure itself: white on black is 21, and mid grey is what WCAG tables say', () => {
  expect(contrast(linearRgb('100% 0 0'), linearRgb('0% 0 0'))).toBeCloseTo(21, 3)
  // #767676, the lightest grey that passes on white: 4.54.
  expect(contrast(linearRgb('56.78% 0 0'), linearRgb('100% 0 0'))).toBeCloseTo(4.54, 1)
})

const surfaces = ['paper', 'panel', 'raise', 'glow']
const texts = ['ink', 'soft', 'bad', 'ember']
const pairs: readonly [string, string, number][] = [
  ...surfaces.flatMap((surface) => texts.map((text): [string, string, number] => [text, surface, textRatio])),
  ['ember-ink', 'ember', textRatio],
  ['good', 'paper', edgeRatio],
  ['good', 'panel', edgeRatio],
  ['edge', 'paper', edgeRatio],
  ['edge', 'panel', edgeRatio],
  ['edge', 'raise', edgeRatio],
]

test.each((['light', 'dark'] as const).flatMap((theme) => pairs.map((pair) => [theme, ...pair] as const)))(
  '%s: %s on %s reaches %d',
  (theme, front, back, ratio) => {
    const palette = tokens(theme)
    expect(contrast(palette.get(front)!, palette.get(back)!)).toBeGreaterThanOrEqual(ratio)
  },
)
