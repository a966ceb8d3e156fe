import { Client, Connection, isGrpcServiceError, NamespaceNotFoundError, ServiceError, type TLSConfig } from '@temporalio/client'
import { KocoError, RefusedError, UnavailableError } from '@koco/core'

/** Where Temporal is and what koco uses of it. */
export type TemporalSettings = {
  /** `host:port`. */
  readonly address: string
  readonly namespace: string
  /** The queue of the workflows; those of the tries begin with its name. */
  readonly taskQueue: string
  /** What workflow ids start with. */
  readonly workflowIdPrefix: string
  /** Longest life of a workflow, in seconds; null: none. */
  readonly executionTimeoutS: number | null
  /** Speak TLS: certificates and key as PEM. Default: no TLS. */
  readonly tls?: TemporalTls
}

/** Whom to trust (default: the system's authorities), and who we are when the server asks for a client's certificate. */
export type TemporalTls = { readonly ca?: Buffer; readonly client?: { readonly cert: Buffer; readonly key: Buffer } }

/** The same in the words of the SDK. */
export function sdkTls({ tls }: Pick<TemporalSettings, 'tls'>): { readonly tls?: TLSConfig } {
  if (!tls) return {}
  const { ca, client } = tls
  return { tls: { ...(ca && { serverRootCACertificate: ca }), ...(client && { clientCertPair: { crt: client.cert, key: client.key } }) } }
}

/** How long a call to the server may go unanswered, its repetitions included. */
const CALL_MS = 5000
/** A server that comes back is found within a second; gRPC's own back-off goes up to two minutes. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.min_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000 }
/** gRPC's code for what is not there. */
const NOT_FOUND = new Set([5])
/** gRPC's code for a deadline that is over. Its own words count from the last of several repetitions: "Deadline exceeded after 0.000s". */
const TOO_LATE = new Set([4])
/** gRPC's codes for a call that cannot work however often it is made: permission denied, unimplemented, unauthenticated. */
const NEVER = new Set([7, 12, 16])

/** A client of one Temporal server. Its link opens at the first call; each call ends within 5 s. */
export class TemporalServer {
  readonly settings: TemporalSettings
  readonly client: Client
  readonly connection: Connection

  constructor(settings: TemporalSettings) {
    this.settings = settings
    this.connection = Connection.lazy({ address: settings.address, ...sdkTls(settings), connectTimeout: CALL_MS, channelArgs: RECONNECT })
    this.client = new Client({ connection: this.connection, namespace: settings.namespace })
  }

  /** Makes calls; `doing` completes "Temporal cannot …". What the caller should tell apart (not found, started already) is thrown as it is; all else as UnavailableError or RefusedError. */
  async call<T>(doing: string, calls: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await this.connection.withDeadline(Date.now() + CALL_MS, () => calls(this.client))
    } catch (error) {
      throw this.#errorOf(error, doing)
    }
  }

  close(): Promise<void> {
    return this.connection.close()
  }

  #errorOf(error: unknown, doing: string): unknown {
    const { address, namespace } = this.settings
    const cause = error instanceof ServiceError ? error.cause : error
    if (error instanceof NamespaceNotFoundError || (isGrpcServiceError(cause) && NOT_FOUND.has(cause.code) && /^namespace/i.test(cause.details))) {
      return new UnavailableError(
        `Temporal at ${address} has no namespace "${namespace}": make it (temporal operator namespace create -n ${namespace}), or set KODO_TEMPORAL_NAMESPACE.`,
        { code: 'temporal_namespace', cause: error },
      )
    }
    if (error instanceof KocoError || !(isGrpcServiceError(cause) || error instanceof ServiceError)) return isConnect(error) ? this.#away(error, doing) : error
    if (isGrpcServiceError(cause) && NEVER.has(cause.code)) {
      return new RefusedError(`Temporal at ${address} refuses to ${doing}: ${cause.details}. Give koco the right to, or correct KODO_TEMPORAL_HOST.`, {
        code: 'temporal_denied',
        cause: error,
      })
    }
    return this.#away(cause, doing)
  }

  #away(error: unknown, doing: string): UnavailableError {
    const isLate = isGrpcServiceError(error) && TOO_LATE.has(error.code)
    const why = isLate
      ? `no word within ${CALL_MS / 1000} s`
      : isGrpcServiceError(error)
        ? error.details
        : error instanceof Error
          ? error.message
          : String(error)
    const remedy = 'See that it runs and that KODO_TEMPORAL_HOST names it; runs under way go on by themselves when it is back.'
    return new UnavailableError(`Temporal at ${this.settings.address} did not answer (to ${doing}): ${why}. ${remedy}`, {
      code: 'temporal_unavailable',
      cause: error,
    })
  }
}

/** The SDK's own error of a link that does not open in time is a plain one. */
function isConnect(error: unknown): boolean {
  return error instanceof Error && /connect|deadline/i.test(error.message)
}
