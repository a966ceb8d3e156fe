// Goal: every expression of the dashboard and of the alerts asks for figures that koco really gives. Method: a panel, a spooler and a worker run, something happens, and each metric and label of the files is looked up in what they answer.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort, startRedis, startTemporal } from '@koco/testing'
import { parse } from 'yaml'
import { beforeAll, expect, test } from 'vitest'
import { createInstallation } from '../processes/installation.ts'
import { readExpression, readFamilies, type Family } from './expression.ts'

const FILES = fileURLToPath(new URL('../../../cli/observability/', import.meta.url))
const FLOWS = fileURLToPath(new URL('../flows/bench-flows.ts', import.meta.url))
/** What Prometheus adds to each figure itself. */
const OF_PROMETHEUS = new Set(['job', 'instance', 'le'])

type Dashboard = { readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[] }
type Rules = {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string; readonly annotations: { readonly description: string } }[]
  }[]
}

const dashboard = JSON.parse(readFileSync(`${FILES}grafana-dashboard.json`, 'utf8')) as Dashboard
const rules = (parse(readFileSync(`${FILES}alert-rules.yml`, 'utf8')) as Rules).groups.flatMap((group) => group.rules)
let families: Map<string, Family>

beforeAll(async () => {
  families = readFamilies(await figuresOfAll())
}, 240_000)

async function figuresOfAll(): Promise<string> {
  await using redis = await startRedis()
  await using temporal = await startTemporal()
  const installation = await createInstallation({
    KODO_FLOWS: FLOWS,
    KODO_EVENT_TRANSPORT: 'redis',
    KODO_REDIS_URL: redis.url,
    KODO_EXECUTION_MODE: 'temporal',
    KODO_TEMPORAL_HOST: temporal.address,
  })
  try {
    const [spooler, worker] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
    const panel = await installation.startPanel('serve')
    const others = [
      { address: spooler, process: installation.spawn(['spool', '--block', '--metrics', spooler]) },
      { address: worker, process: installation.spawn(['temporal-worker', '--metrics', worker]) },
    ]
    for (const { address, process } of others)
      await process.until(() =>
        fetch(`http://${address}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      )
    const client = await installation.client()
    expect(await client.startAndWait('three-steps', {})).toMatchObject({ status: 'finished' })
    expect(panel.pid).toBeGreaterThan(0)
    const urls = [`${installation.address}/metrics`, ...others.map(({ address }) => `http://${address}/metrics`)]
    return (await Promise.all(urls.map(async (url) => (await fetch(url)).text()))).join('\n')
  } finally {
    await installation.close()
  }
}

const expressions = [...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)), ...rules.map(({ expr }) => expr)]

test.each(expressions)('%s', (expression) => {
  const { selectors, grouping } = readExpression(expression)
  expect(selectors.length).toBeGreaterThan(0)
  for (const { metric, labels } of selectors) {
    if (metric === 'up') continue
    const family = families.get(metric) ?? families.get(metric.replace(/_(bucket|sum|count)$/, ''))
    expect(family, `${metric} is given by no process`).toBeDefined()
    // A counter of faults has no samples while all is well, so its labels cannot be seen.
    if (family === undefined || family.labels.size === 0) continue
    const wanted = [...labels, ...grouping].filter((label) => !OF_PROMETHEUS.has(label))
    expect([...family.labels]).toEqual(expect.arrayContaining(wanted))
  }
})

test('every alert says what to do', () => {
  expect(rules.filter(({ annotations }) => annotations.description.length < 20)).toEqual([])
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
})

test('what is no PromQL is told apart', () => {
  expect(() => readExpression('sum by (a (koco_runs)')).toThrow('no PromQL')
  expect(readExpression('sum by (a) (rate(x_total{b="c"}[5m]))')).toEqual({ selectors: [{ metric: 'x_total', labels: ['b'] }], grouping: ['a'] })
})
