import { createInstallation } from '../processes/installation.ts'
import { atMost, type Figure } from './figure.ts'

/** `koco start` in an empty folder, the page built: from the command to the first answer, and to the first finished run. */
export async function startUp(): Promise<Figure[]> {
  const installation = await createInstallation()
  try {
    const start = performance.now()
    await installation.startPanel('start')
    const answering = performance.now() - start
    const client = await installation.client()
    const fid = await client.start('hello', { name: 'bench' })
    for await (const frame of client.tail(fid)) if (frame.event === 'step') break
    return [atMost('koco start to answering', answering, 'ms', 3000), atMost('koco start to the first step seen', performance.now() - start, 'ms', 10_000)]
  } finally {
    await installation.close()
  }
}
