import { shellLock } from '../service-worker/messages.ts'

/** As long as this page lives, what its script may still load is kept. */
export function holdShell(): void {
  const script = document.querySelector<HTMLScriptElement>('script[type=module][src]')
  if (script === null) return
  void navigator.locks?.request(shellLock + script.src, { mode: 'shared' }, () => new Promise(() => {}))
}
