import { about, address, list, listenAddress, text } from '../kinds.ts'

/** What is served, and where. */
export const listeningSettings = {
  flows: text.optional().meta(about({ variable: 'FLOWS', help: 'Module that exports the flows', none: './flows.ts, in the checkout the examples' })),
  appServer: address
    .default('http://localhost:3370')
    .meta(about({ variable: 'APP_SERVER', flag: 'address', help: 'Where the panel listens, and where browsers and commands find it' })),
  listen: listenAddress.optional().meta(
    about({
      variable: 'LISTEN',
      none: 'that of APP_SERVER',
      help: 'Where the panel listens when that is another address: 0.0.0.0:3370 in a container or behind a proxy',
    }),
  ),
  trustedProxies: list.optional().meta(
    about({
      variable: 'TRUSTED_PROXIES',
      none: 'none',
      help: 'Addresses or networks, separated by commas, of proxies in front of the panel whose X-Forwarded-For counts',
    }),
  ),
  profile: text.optional().meta(
    about({
      variable: 'PROFILE',
      none: 'the one in use',
      help: 'Which panel commands talk to, with which key: a profile that koco login made, or local for the panel of these settings',
    }),
  ),
  metrics: listenAddress.optional().meta(
    about({
      variable: 'METRICS',
      none: 'off',
      help: 'host:port where a spooler or a worker answers /healthz, /readyz and /metrics (port 0: any free one, its log says which); the panel does at its own address',
    }),
  ),
}
