// Goal: the SDK's figures come from a port that nobody else has, also when somebody takes the one that was free a moment ago. Method: the real SDK is told a port that a server of the test holds, then a free one.
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { freePort } from '@koco/testing'
import { Runtime } from '@temporalio/worker'
import { expect, test } from 'vitest'
import { figuresAt, installRuntime } from './runtime.ts'

const silent = (): void => undefined

test('a port that was taken meanwhile is left to whoever has it', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const taken = (other.address() as AddressInfo).port
  const ports = [taken]
  const pickPort = async (): Promise<number> => ports.shift() ?? (await freePort())
  try {
    const address = await installRuntime(silent, true, pickPort)
    expect(address).not.toBe(`127.0.0.1:${taken}`)
    const response = await fetch(`http://${address}/metrics`)
    expect(response.status).toBe(200)
    expect(await figuresAt(address)).toBe(await response.text())
    expect(await installRuntime(silent, true)).toBe(address)
  } finally {
    await Runtime.instance().shutdown()
    other.close()
  }
})
