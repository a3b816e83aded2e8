const time = '([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d'
const date =
  '\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))'
const zone = '(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)'
const byte = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'

/** Patterns of the formats that strings may have: RFC 3339 without leap days, RFC 4122, dotted IPv4, and plain mail addresses. */
export const formats: Readonly<Record<string, string>> = {
  date: `^${date}$`,
  time: `^${time}${zone}$`,
  'date-time': `^${date}T${time}${zone}$`,
  uuid: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  ipv4: `^${byte}\\.${byte}\\.${byte}\\.${byte}$`,
  email: '^[A-Za-z0-9_]+([.+-][A-Za-z0-9_]+)*@[A-Za-z0-9]+(-[A-Za-z0-9]+)*(\\.[A-Za-z]{2,12})+$',
}
