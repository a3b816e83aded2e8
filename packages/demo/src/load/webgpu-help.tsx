/** How to turn WebGPU on. Addresses such as chrome://flags cannot be links: browsers refuse them from a page. */
const browsers = [
  {
    name: 'Chrome or Edge, 113 or newer',
    known: /\b(Chrome|Edg)\//,
    steps: [
      'Open Settings, System, and turn on "Use graphics acceleration when available".',
      'Still nothing: open chrome://flags (edge://flags in Edge), enable "Unsafe WebGPU Support", and relaunch. chrome://gpu says why it was off.',
    ],
  },
  {
    name: 'Firefox, 141 or newer on Windows, 145 on Mac',
    known: /\bFirefox\//,
    steps: ['Elsewhere: open about:config, set dom.webgpu.enabled to true, and restart Firefox.'],
  },
  {
    name: 'Safari, 26 or newer',
    known: /^(?!.*(Chrome|Chromium|Edg)).*\bSafari\//,
    steps: [
      'Safari 18: on a Mac, Develop, Feature Flags, WebGPU; on a phone, Settings, Apps, Safari, Advanced, Feature Flags, WebGPU.',
    ],
  },
] as const

/** The browser at hand comes first and open. */
export function WebGpuHelp() {
  const here = browsers.findIndex(({ known }) => known.test(navigator.userAgent))
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
      <p class="small soft">WebGPU also needs a secure page: https, or localhost.</p>
    </div>
  )
}
