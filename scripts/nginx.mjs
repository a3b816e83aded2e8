// @ts-check
import { spawnSync } from 'node:child_process'
import { installWithApt } from './apt.mjs'
import { ScriptError } from './command-line.mjs'

/** Where Debian has it: not on every account's PATH. */
const places = ['nginx', '/usr/sbin/nginx']

/**
 * Debian's nginx with its brotli module, which is installed if it is not there and this account may.
 * @returns {string} the command
 */
export function findOrInstallNginx() {
  const find = () => places.find((place) => spawnSync(place, ['-v'], { stdio: 'ignore' }).status === 0)
  const packages = ['nginx-light', 'libnginx-mod-http-brotli-static']
  const found = find() ?? (installWithApt('nginx', packages) ? find() : undefined)
  if (found !== undefined) return found
  throw new ScriptError(`nginx was not found. On Debian: apt-get install ${packages.join(' ')}.`)
}
