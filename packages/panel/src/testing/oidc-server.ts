// An OpenID provider as a process of its own: `node oidc-server.ts <port> <redirect uri>`. Whoever gives a name is signed in; the name says what the provider knows of their address.
import { Provider } from 'oidc-provider'

const [, , port = '', redirectUri = ''] = process.argv
const issuer = `http://127.0.0.1:${port}`

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'koco',
      client_secret: 'secret-of-the-client-at-the-provider',
      redirect_uris: [redirectUri],
      response_types: ['code'],
      grant_types: ['authorization_code'],
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
  findAccount: (_context: unknown, id: string) => ({
    accountId: id,
    claims: () => ({
      sub: `subject-of-${id}`,
      preferred_username: id,
      ...(id !== 'nobody' && { email: `${id}@people.example`, email_verified: id !== 'unverified' }),
    }),
  }),
  cookies: { keys: ['a key of the stand-in for its cookies'] },
})
provider.listen(Number(port), '127.0.0.1', () => void process.stdout.write('listening\n'))
