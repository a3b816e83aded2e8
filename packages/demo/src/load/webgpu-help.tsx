import { words } from '../words/words.ts'

/** By what a browser says of itself, in the order of the help's sections. */
const known = [/\b(Chrome|Edg)\//, /\bFirefox\//, /^(?!.*(Chrome|Chromium|Edg)).*\bSafari\//]

/** How to turn WebGPU on; the browser at hand comes first and open. */
export function WebGpuHelp() {
  const { browsers, secure } = words.value.webGpuHelp
  const here = known.findIndex((pattern) => pattern.test(navigator.userAgent))
  const ordered = here < 0 ? browsers : [browsers[here]!, ...browsers.filter((_, index) => index !== here)]
  return (
    <div class="help">
      {ordered.map(({ name, steps }, index) => (
        <details key={name} open={index === 0}>
          <summary>{name}</summary>
          <ul>
            {steps.map((step) => (
              <li key={step}>{step}</li>
            ))}
          </ul>
        </details>
      ))}
      <p class="small soft">{secure}</p>
    </div>
  )
}
