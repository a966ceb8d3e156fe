/** The names of all keys and channels of one installation in Redis, made from the stream prefix: `kodo:events:` gives `kodo:ready` and so on beside it. */
export type RedisKeys = {
  readonly stream: (fid: string) => string
  readonly lease: (fid: string) => string
  /** Sorted set of the streams that have work, by the time of their hint: no stream twice, oldest first. */
  readonly ready: string
  /** Set of the runs whose stream the sweep looks at. */
  readonly active: string
  /** Sorted set of the consumers' names by when they were last seen. */
  readonly consumers: string
  /** Sorted set of the workers by when they were last heard of, and the hash of what they are at. */
  readonly workers: string
  readonly tasks: string
  /** Sorted set of the holders of counted leases, by when each ends. */
  readonly held: (name: string) => string
  readonly probe: string
  readonly committedChannel: string
  readonly controlChannel: string
  readonly sessionChannel: string
  readonly revokedChannel: string
  readonly liveChannel: (fid: string) => string
  /** Where a process hears requests that are for it, and answers to its own. */
  readonly requestsChannel: (name: string) => string
  readonly answersChannel: (id: string) => string
}

/** The key names for a stream prefix. */
export function redisKeys(streamPrefix: string): RedisKeys {
  const base = streamPrefix.replace(/events:$/, '')
  return {
    stream: (fid) => streamPrefix + fid,
    lease: (fid) => `${base}lease:${fid}`,
    ready: `${base}ready`,
    active: `${base}active`,
    consumers: `${base}consumers`,
    workers: `${base}workers`,
    tasks: `${base}tasks`,
    held: (name) => `${base}held:${name}`,
    probe: `${base}probe`,
    committedChannel: `${base}committed`,
    controlChannel: `${base}control`,
    sessionChannel: `${base}session`,
    revokedChannel: `${base}revoked`,
    liveChannel: (fid) => `${base}live:${fid}`,
    requestsChannel: (name) => `${base}requests:${name}`,
    answersChannel: (id) => `${base}answers:${id}`,
  }
}
