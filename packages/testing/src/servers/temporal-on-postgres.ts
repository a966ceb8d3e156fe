import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { cacheFolder } from './find.ts'
import { goProgram } from './go-program.ts'
import { runToEnd } from './install.ts'
import { startPostgres } from './postgres.ts'
import { freePort, newFolder, ServerProcess, startOrStop } from './process.ts'
import { serves, temporalProgram, type TemporalServer } from './temporal.ts'

const VERSION = 'v1.29.1' // the server inside the development server of ours
const REMEDY = 'The Temporal server on Postgres needs Go, by which it is built.'
const DATABASES = { temporal: 'postgresql/v12/temporal', temporal_visibility: 'postgresql/v12/visibility' } as const
const SHARDS = 4
const CONNECTIONS = 20

/** Starts Temporal as an installation has it: a server of all four services on a Postgres of its own, which is durable. The first time Go builds it, some minutes. */
export async function startTemporalOnPostgres(): Promise<TemporalServer> {
  const folder = join(cacheFolder(), `temporal-server-${VERSION}`)
  const program = (name: string, path: string) => goProgram({ name, source: `go.temporal.io/server/cmd/${path}@${VERSION}`, remedy: REMEDY, folder })
  const [command, sql, cli] = [await program('server', 'server'), await program('sql', 'tools/sql'), await temporalProgram()]
  const postgres = await startPostgres()
  try {
    for (const [database, schema] of Object.entries(DATABASES)) await createTables(sql, postgres, database, schema)
    const server = await startServer(command, cli, postgres.port)
    const stopAlone = server.stop.bind(server)
    const stop = async (): Promise<void> => {
      await stopAlone()
      await postgres.stop()
    }
    return Object.assign(server, { stop, [Symbol.asyncDispose]: stop })
  } catch (error) {
    await postgres.stop()
    throw error
  }
}

async function createTables(sql: string, { url, port }: { readonly url: string; readonly port: number }, database: string, schema: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${database}`)
  await client.end()
  const at = ['--plugin', 'postgres12', '--endpoint', '127.0.0.1', '--port', String(port), '--user', 'postgres', '--password', 'none', '--database', database]
  await runToEnd(sql, [...at, 'setup-schema', '--version', '0.0'])
  await runToEnd(sql, [...at, 'update-schema', '--schema-name', schema])
}

async function startServer(command: string, cli: string, postgresPort: number): Promise<TemporalServer> {
  const folder = newFolder('temporal')
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  await mkdir(join(folder, 'config'))
  await writeFile(join(folder, 'config', 'test.yaml'), JSON.stringify(await settings(port, postgresPort)))
  const args = ['--root', folder, '--config', 'config', '--env', 'test', '--allow-no-auth', 'start']
  const server = new ServerProcess({ name: 'Temporal', command, args, folder, answers: () => hasNamespace(cli, address), withinMs: 120_000 })
  await startOrStop(server)
  return Object.assign(server, { address, port, page: null })
}

/** True when the server has its namespace, which is made when it is not there. */
async function hasNamespace(cli: string, address: string): Promise<boolean> {
  return await serves(cli, address).catch(async () => {
    await runToEnd(cli, ['operator', 'namespace', 'create', '-n', 'default', '--retention', '24h', '--address', address, '--command-timeout', '5s'])
    return false
  })
}

/** The settings file of the server; JSON is YAML. */
async function settings(port: number, postgresPort: number): Promise<unknown> {
  const store = (databaseName: string) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `127.0.0.1:${postgresPort}`,
      connectProtocol: 'tcp',
      user: 'postgres',
      password: 'none',
      maxConns: CONNECTIONS,
      maxIdleConns: CONNECTIONS,
    },
  })
  const service = async (grpcPort?: number) => ({
    rpc: { grpcPort: grpcPort ?? (await freePort()), membershipPort: await freePort(), bindOnLocalHost: true },
  })
  return {
    log: { stdout: true, level: 'error' },
    persistence: {
      defaultStore: 'main',
      visibilityStore: 'visibility',
      numHistoryShards: SHARDS,
      datastores: { main: store('temporal'), visibility: store('temporal_visibility') },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: { frontend: await service(port), matching: await service(), history: await service(), worker: await service() },
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: { active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: `127.0.0.1:${port}` } },
    },
    dcRedirectionPolicy: { policy: 'noop' },
  }
}
