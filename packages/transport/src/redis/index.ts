export { createRedisTransport, type RedisTransportOptions } from './transport.ts'
