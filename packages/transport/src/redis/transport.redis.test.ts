// Goal: the transport over Redis keeps every promise of the port, under both protocol versions. Method: the contract suite against a real server, each test under its own key prefix.
import { keyPrefix } from '@koco/testing'
import { Redis } from 'ioredis'
import { inject } from 'vitest'
import { transportContract } from '../contract/transport.ts'
import { createRedisTransport } from './transport.ts'

const BACKLOG_MAX = 1000

async function open(protocol: 2 | 3) {
  const url = inject('redisUrl')
  const prefix = keyPrefix()
  const direct = new Redis(url)
  const key = (fid: string) => `${prefix}events:${fid}`
  const transport = createRedisTransport({
    url,
    protocol,
    streamPrefix: `${prefix}events:`,
    backlogMax: BACKLOG_MAX,
    expireMs: 1,
    workerLifeMs: 200,
    holdMs: 3000,
  })
  return {
    transport,
    backlogMax: BACKLOG_MAX,
    wipe: async (fid: string) => void (await direct.del(key(fid))),
    close: async () => {
      await transport.close()
      const left = await direct.keys(`${prefix}*`)
      if (left.length > 0) await direct.del(...left)
      direct.disconnect()
    },
  }
}

transportContract('redis', () => open(3), 60)
transportContract('redis under RESP2', () => open(2), 20)
