const BROWSERS = ['Edg', 'OPR', 'Firefox', 'HeadlessChrome', 'Chrome', 'Safari', 'curl'] as const
const NAMES: Readonly<Record<string, string>> = { Edg: 'Edge', OPR: 'Opera', HeadlessChrome: 'Chrome without a window' }
const SYSTEMS = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS X', 'CrOS', 'Linux'] as const

/** A user agent in words: `Firefox on Linux`. */
export function browserName(agent: string): string {
  const browser = BROWSERS.find((name) => agent.includes(`${name}/`))
  const system = SYSTEMS.find((name) => agent.includes(name))
  if (browser === undefined) return agent === '' ? 'An unknown program' : agent.slice(0, 60)
  return `${NAMES[browser] ?? browser}${system === undefined ? '' : ` on ${system === 'Mac OS X' ? 'macOS' : system}`}`
}
