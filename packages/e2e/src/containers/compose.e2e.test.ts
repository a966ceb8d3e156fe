// Goal: the compose files are what Docker Compose takes and say what the guides promise. Method: its own loader reads them, alone, with the override and with the profile; what it made of them is looked at.
import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { composeLoader, newFolder } from '@koco/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readDockerfile } from './dockerfile.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const run = promisify(execFile)

type Service = {
  readonly image?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly { readonly target: number; readonly published: string; readonly host_ip?: string }[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly container_name?: string
  readonly volumes?: readonly { readonly type: string; readonly source: string; readonly target: string }[]
  readonly profiles?: readonly string[]
}
type Model = { readonly services: Readonly<Record<string, Service>>; readonly volumes: Readonly<Record<string, unknown>> }

let loader: string
let folder: string
beforeAll(async () => {
  loader = await composeLoader()
  folder = newFolder('compose')
  copyFileSync(join(ROOT, 'docker-compose.yml'), join(folder, 'docker-compose.yml'))
  copyFileSync(join(ROOT, 'docker-compose.override.yml.example'), join(folder, 'docker-compose.override.yml'))
  cpSync(join(ROOT, 'packages/cli/Dockerfile'), join(folder, 'packages/cli/Dockerfile'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function load(files: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Model> {
  const { stdout } = await run(loader, ['-format', 'json', ...files.map((file) => join(folder, file))], {
    cwd: folder,
    env: { PATH: process.env['PATH'], COMPOSE_PROFILES: 'temporal', ...env },
  })
  return JSON.parse(stdout) as Model
}

test('both files load, alone and together', async () => {
  const { services } = await load(['docker-compose.yml'])
  expect(Object.keys(services)).toEqual(expect.arrayContaining(['panel', 'spooler', 'postgres', 'redis', 'migrate', 'secrets']))
  const together = await load(['docker-compose.yml', 'docker-compose.override.yml'])
  expect(together.services['postgres']?.ports?.[0]).toMatchObject({ published: '5433', target: 5432 })
  expect(together.services['panel']?.volumes?.some(({ target }) => target === '/koco/flows')).toBe(true)
})

test('ports are those of the guides, and only on this machine', async () => {
  const { services } = await load(['docker-compose.yml'])
  const published = Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((port) => ({ name, ...port })))
  expect(published.map(({ name, published: port, target }) => `${name} ${port}:${target}`)).toEqual(
    expect.arrayContaining(['panel 3370:3370', 'redis 6380:6379']),
  )
  expect(published.filter(({ host_ip: host }) => host !== '127.0.0.1')).toEqual([])
})

test('Redis keeps what it acknowledged, the spooler can be scaled, and no password stands in the file', async () => {
  const { services } = await load(['docker-compose.yml'])
  expect(services['redis']?.command?.join(' ')).toMatch(/--appendonly yes.*--maxmemory-policy noeviction/)
  expect(services['spooler']).toMatchObject({ command: ['spool', '--block'] })
  expect(services['spooler']?.container_name).toBeUndefined()
  expect(services['spooler']?.ports).toBeUndefined()
  expect(readFileSync(join(folder, 'docker-compose.yml'), 'utf8')).not.toMatch(/PASSWORD: |_PWD: |postgresql:\/\//)
})

test('what others wait for tells when it is ready, and what ends is waited for as such', async () => {
  const { services } = await load(['docker-compose.yml'])
  const image = readDockerfile(readFileSync(join(folder, 'packages/cli/Dockerfile'), 'utf8'))
  expect(image.healthCheck).toEqual(['node', '/koco/health.mjs'])
  expect(image.user).toBe('koco')
  for (const [name, { depends_on: needs = {} }] of Object.entries(services)) {
    for (const [needed, { condition }] of Object.entries(needs)) {
      const service = services[needed]
      const once = ['secrets', 'migrate'].includes(needed)
      expect(condition, `${name} waits for ${needed}`).toBe(once ? 'service_completed_successfully' : 'service_healthy')
      if (!once) expect(service?.healthcheck?.test ?? image.healthCheck, needed).not.toEqual([])
    }
  }
})

test('large results and files of runs lie where every container sees them', async () => {
  const { services } = await load(['docker-compose.yml'])
  const koco = Object.entries(services).filter(([, { environment }]) => environment?.['KODO_EVENT_TRANSPORT'] !== undefined)
  expect(koco.map(([name]) => name)).toEqual(expect.arrayContaining(['panel', 'spooler', 'temporal-worker']))
  for (const [name, { environment, volumes = [] }] of koco) {
    const place = new URL(environment?.['KODO_BLOB_STORE'] ?? 'none:')
    expect(place.protocol, name).toBe('file:')
    expect(volumes.find(({ target }) => place.pathname.startsWith(`${target}/`))?.source, name).toBe('data')
  }
})

test('every volume that is used is declared, and every declared one used', async () => {
  const { services, volumes } = await load(['docker-compose.yml'])
  const used = Object.values(services).flatMap(({ volumes: mounts = [] }) => mounts.filter(({ type }) => type === 'volume').map(({ source }) => source))
  expect([...new Set(used)].sort()).toEqual(Object.keys(volumes).sort())
})
