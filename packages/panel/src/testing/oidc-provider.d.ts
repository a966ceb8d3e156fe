declare module 'oidc-provider' {
  /** The part of the provider that the tests use; the package has no types. */
  export class Provider {
    constructor(issuer: string, configuration: object)
    listen(port: number, host: string, ready: () => void): unknown
  }
}
