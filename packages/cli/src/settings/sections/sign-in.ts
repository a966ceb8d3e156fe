import { z } from 'zod'
import { about, list, text, webAddress, whole } from '../kinds.ts'

/** Who may come in, and how. */
export const signInSettings = {
  adminEmail: z
    .email()
    .default('admin@example.com')
    .meta(about({ variable: 'ADMIN_EMAIL', help: 'Address of the first operator' })),
  adminPassword: z
    .string()
    .min(8, 'must have at least 8 characters')
    .refine((value) => value.toLowerCase() !== 'admin', 'must not be "admin"')
    .optional()
    .meta(about({ variable: 'ADMIN_PASSWORD', secret: true, none: 'made, printed once', help: 'Password of the first operator, at their creation' })),
  secretKey: z
    .string()
    .min(32, 'must have at least 32 characters')
    .optional()
    .meta(
      about({
        variable: 'SECRET_KEY',
        secret: true,
        none: 'made, kept in the data folder',
        help: 'Key for the hashes of sessions and API keys; another one signs everybody out. Required when the admin database is Postgres',
      }),
    ),
  apiKey: text
    .optional()
    .meta(about({ variable: 'API_KEY', secret: true, none: 'the one that `start` keeps', help: 'Key with which commands sign in to the panel' })),
  auth: z
    .enum(['on', 'off'])
    .default('on')
    .meta(about({ variable: 'AUTH', help: 'on, or off while listening on a loopback address only' })),
  signUp: z
    .enum(['closed', 'viewer', 'user'])
    .default('viewer')
    .meta(
      about({ variable: 'SIGN_UP', help: 'What somebody becomes who signs in with GitHub or OpenID and has no account: nothing (closed), viewer or user' }),
    ),
  githubClientId: text
    .optional()
    .meta(
      about({ variable: 'GITHUB_CLIENT_ID', none: 'none', help: 'OAuth app at GitHub for sign-in; it sends people back to /api/auth/sign-in/github/callback' }),
    ),
  githubClientSecret: text.optional().meta(about({ variable: 'GITHUB_CLIENT_SECRET', secret: true, none: 'none', help: 'Its secret' })),
  githubUrl: webAddress.default('https://github.com').meta(about({ variable: 'GITHUB_URL', help: 'GitHub, or an Enterprise server' })),
  githubApiUrl: webAddress
    .default('https://api.github.com')
    .meta(about({ variable: 'GITHUB_API_URL', help: 'Its API; for an Enterprise server https://host/api/v3' })),
  oidcIssuer: webAddress.optional().meta(
    about({
      variable: 'OIDC_ISSUER',
      none: 'none',
      help: 'OpenID provider for sign-in, found by discovery; it sends people back to /api/auth/sign-in/oidc/callback',
    }),
  ),
  oidcClientId: text.optional().meta(about({ variable: 'OIDC_CLIENT_ID', none: 'none', help: 'The client at that provider' })),
  oidcClientSecret: text.optional().meta(about({ variable: 'OIDC_CLIENT_SECRET', secret: true, none: 'none', help: 'Its secret' })),
  oidcName: text.default('single sign-on').meta(about({ variable: 'OIDC_NAME', help: 'What the sign-in page calls that provider' })),
  wsConnectionsMax: whole(1, 10_000)
    .default(3)
    .meta(about({ variable: 'WS_CONNECTIONS_MAX', help: 'Open WebSocket connections of one user, in all panels together' })),
  corsOrigins: list.optional().meta(about({ variable: 'CORS_ORIGINS', none: 'none', help: 'Origins, separated by commas, whose pages may call the API' })),
}
