import { ToolError } from './tool-error.ts'

/** The time as a sentence for the model: in the named zone, else in the one of this device. */
export function tellTime(now: Date, zone: string | undefined): string {
  const timeZone = zone === undefined || isLocal(zone) ? localZone() : zoneNamed(zone)
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'medium', timeZone }).format(
    now,
  )
  return `${text} in ${timeZone} (${offset(now, timeZone)})`
}

const localZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone

const isLocal = (zone: string) => /^(local( time)?|here|)$/i.test(zone.trim())

/** A zone by its name, or by its city alone, as models like to write it. */
function zoneNamed(name: string): string {
  const wanted = name.trim().replaceAll(' ', '_')
  if (isZone(wanted)) return wanted
  const city = Intl.supportedValuesOf('timeZone').find(
    (zone) => zone.slice(zone.lastIndexOf('/') + 1).toLowerCase() === wanted.toLowerCase(),
  )
  if (city !== undefined) return city
  throw new ToolError(`"${name}" is not a time zone. Use a name such as "Europe/Madrid" or "UTC".`)
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}

/** Such as "GMT+1". */
function offset(now: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'shortOffset' }).formatToParts(now)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
}
