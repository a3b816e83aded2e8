// @ts-check
import { spawnSync } from 'node:child_process'

/**
 * Installs Debian's packages where this account may.
 * @param {string} what for a person
 * @param {readonly string[]} packages
 * @returns {boolean} whether apt-get ran to its end
 */
export function installWithApt(what, packages) {
  const run = (/** @type {string[]} */ [command = '', ...args]) =>
    spawnSync(command, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return false
  const asRoot = process.getuid?.() === 0
  if (!asRoot && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return false
  const apt = asRoot ? ['apt-get'] : ['sudo', '-n', 'DEBIAN_FRONTEND=noninteractive', 'apt-get']
  console.log(`${what} was not found: installing ${packages.join(' and ')} with apt-get …`)
  run([...apt, 'update'])
  return run([...apt, 'install', '--yes', '--no-install-recommends', ...packages])
}
