import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createInstallation } from '../processes/installation.ts'
import { Evidence } from './evidence.ts'
import { recordOf } from './judge.ts'
import { Subject } from './subject.ts'
import type { World } from './world.ts'

const FLOWS = fileURLToPath(new URL('../flows/crash-flows.ts', import.meta.url))
const DISK_MIB = 64

/** `koco start` over SQLite, on a small disk of its own. */
export type EmbeddedWorld = World & {
  readonly disk: {
    /** Leaves no byte free. */
    fill(): void
    /** Gives back what `fill` took. */
    free(): void
  }
}

/**
 * Starts one. The disk is a tmpfs in a mount name space of the process' own, which needs no rights where user name spaces are allowed (Linux' default); from outside it is reached through
 * /proc/<pid>/root. It ends with the process, so a kill of it is an end of the disk as well: a world on a disk that survives kills has `onDisk: false`.
 */
export async function embeddedWorld({ onDisk }: { readonly onDisk: boolean }, env: Readonly<Record<string, string>> = {}): Promise<EmbeddedWorld> {
  const installation = await createInstallation({ KODO_FLOWS: FLOWS, KODO_LOG_LEVEL: 'info', ...env })
  const evidence = new Evidence()
  const witness = join(installation.dir, 'witness')
  const data = join(installation.dir, 'execution')
  for (const folder of [witness, data]) mkdirSync(folder)
  const mount = `mount -t tmpfs -o size=${DISK_MIB}m tmpfs ${data} && exec "$@"`
  const under = onDisk ? ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', mount, 'sh'] : []
  const panel = new Subject('panel', () => installation.startPanel('start', [], { heard: evidence.hear, under }))
  await panel.start()
  evidence.watch(installation.address)
  const client = await installation.client()
  const ballast = (): string => join('/proc', String(panel.process.pid), 'root', data, 'ballast')
  return {
    panel,
    client,
    evidence,
    witness,
    disk: { fill: () => fillUp(ballast()), free: () => rmSync(ballast()) },
    stored: async (fid) => (await client.events(fid)).map(recordOf),
    async close() {
      evidence.close()
      await installation.close()
    },
  }
}

function fillUp(file: string): void {
  const piece = Buffer.alloc(64 * 1024)
  try {
    for (;;) writeFileSync(file, piece, { flag: 'a' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
