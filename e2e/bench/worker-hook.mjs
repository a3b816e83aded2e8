// @ts-check

/**
 * A script for a page's beginning that installs something there and in the workers that the page starts, before any script of
 * theirs.
 * @param {() => void} install may use nothing from around it
 */
export const hookScript = (install) => `(${installInWorkers})(${install})`

/** @param {() => void} install */
function installInWorkers(install) {
  install()
  const scope = /** @type {any} */ (globalThis)
  // A worker's own scripts come after this one; `import.meta.url` in them stays what it was.
  const hookUrl = URL.createObjectURL(new Blob([`(${install})()`], { type: 'text/javascript' }))
  const { Worker } = scope
  scope.Worker = class extends Worker {
    /**
     * @param {string | URL} url
     * @param {WorkerOptions} [options]
     */
    constructor(url, options) {
      const scripts = [hookUrl, new URL(url, scope.location.href).href].map((script) =>
        JSON.stringify(script),
      )
      const isModule = options?.type === 'module'
      const start = isModule
        ? scripts.map((script) => `import ${script};`).join('')
        : `importScripts(${scripts})`
      super(URL.createObjectURL(new Blob([start], { type: 'text/javascript' })), options)
    }
  }
}
