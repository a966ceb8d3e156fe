// Goal: what an address wants to know is noted once, with the event that says so, and is sent by one at a time until it has arrived. Method: runs, questions and dead events of flows that only one test has.
import type { EventRecord } from '@koco/core'
import { expect, test } from 'vitest'
import type { ExecutionStore } from '../port/execution-store.ts'
import type { Delivery, Webhook } from '../port/webhooks.ts'
import { attempt, meta, opening, plainRun, record, someFid, someRun, START, status } from './scenario.ts'

const E1 = START * 1000
const E2 = E1 + 10
const E3 = E1 + 20

/** A webhook as the panel makes it. */
export function someWebhook(id: string, change: Partial<Webhook> = {}): Webhook {
  const about = { url: `https://example.com/${id}`, user: 'ada', runsOf: null, flow: id, events: ['run.finished', 'run.error'] as const, secret: 'sealed' }
  return { id, ...about, bodies: false, paused: null, createdAt: START + 0.5, failingSince: null, ...change }
}

/** The rules of WebhookStore. */
export function describeWebhooks(store: () => ExecutionStore): void {
  const make = async (id: string, change: Partial<Webhook> = {}): Promise<Webhook> => {
    const webhook = someWebhook(id, change)
    await store().webhooks.create(webhook)
    return webhook
  }
  const write = (fid: string, records: readonly EventRecord[]) => store().writer.write([{ fid, records }])
  const runOf = async (flow: string, user = 'ada', launcher = 'direct'): Promise<string> => {
    const fid = someFid()
    await store().runs.create(someRun(fid, { flow, user }, launcher))
    return fid
  }
  const ofFlow = (records: readonly EventRecord[], flow: string, user = 'ada') =>
    records.map((each) => (each.kind === 'meta' ? meta(E1, 4, { flow, user }) : each))
  const told = async (webhook: string): Promise<readonly Delivery[]> => (await store().webhooks.deliveries(webhook, { limit: 100 })).items
  const types = async (webhook: string) => (await told(webhook)).map(({ type }) => type).toSorted()

  test('an address is kept as it was given, changed, listed by its maker, and deleted with its notices', async () => {
    const webhook = await make('wh-kept', { user: 'maker', runsOf: 'maker', flow: null, bodies: true })
    expect(await store().webhooks.get('wh-kept')).toEqual(webhook)
    const change = {
      url: 'https://example.com/new',
      paused: { at: START + 1, because: 'gone' as const },
      events: ['dead.event'] as const,
      flow: 'wh-kept',
      bodies: false,
      secret: 'other',
    }
    expect([await store().webhooks.change('wh-kept', change), await store().webhooks.change('wh-none', change)]).toEqual([true, false])
    expect(await store().webhooks.list('maker')).toEqual([{ ...webhook, ...change }])
    expect((await store().webhooks.list()).map(({ id }) => id)).toContain('wh-kept')
    await store().webhooks.noteTest('wh-kept', START)
    expect([await store().webhooks.delete('wh-kept'), await store().webhooks.delete('wh-kept')]).toEqual([true, false])
    expect([await store().webhooks.get('wh-kept'), await told('wh-kept')]).toEqual([undefined, []])
  })

  test('the end of a run is noted once however often its events come, and again after a retry', async () => {
    await make('wh-ends')
    const fid = await runOf('wh-ends')
    await store().runs.nextEpoch(fid, E1)
    const records = ofFlow(plainRun(E1, 3), 'wh-ends')
    await write(fid, records)
    await write(fid, records)
    const [notice] = await told('wh-ends')
    expect(notice).toMatchObject({ type: 'run.finished', fid, lid: null, flow: 'wh-ends', user: 'ada', state: 'waiting', attempts: 0 })
    expect(await types('wh-ends')).toEqual(['run.finished'])
    await store().runs.nextEpoch(fid, E2)
    const last = { epoch: E1, seq: records.length }
    await write(fid, [attempt(E2, last, { attempt: 2, reason: 'retry' }), status(E2, 2, 'running'), status(E2, 3, 'error')])
    expect(await types('wh-ends')).toEqual(['run.error', 'run.finished'])
    // Over as before, in the same batch as the start of the try.
    await write(fid, [attempt(E3, { epoch: E2, seq: 3 }, { attempt: 3, reason: 'retry' }), status(E3, 2, 'running'), status(E3, 3, 'error')])
    expect(await types('wh-ends')).toEqual(['run.error', 'run.error', 'run.finished'])
  })

  test('only what an address wants is noted: its events, its flow, the runs of one user, not while it is paused, not what is imported', async () => {
    const [all, own, paused, questions] = ['wh-all', 'wh-own', 'wh-paused', 'wh-questions']
    await make(all, { flow: 'wh-f' })
    await make(own, { flow: 'wh-f', runsOf: 'bob' })
    await make(paused, { flow: 'wh-f', paused: { at: START, because: 'asked' } })
    await make(questions, { flow: 'wh-f', events: ['question.waiting'] })
    for (const [flow, user] of [
      ['wh-f', 'ada'],
      ['wh-f', 'bob'],
      ['wh-g', 'bob'],
    ] as const)
      await write(await runOf(flow, user), ofFlow(plainRun(E1, 1), flow, user))
    await write(await runOf('wh-f', 'ada', 'import'), ofFlow(plainRun(E1, 1), 'wh-f'))
    const counts = await Promise.all([all, own, paused, questions].map(async (id) => (await told(id)).length))
    expect(counts).toEqual([2, 1, 0, 0])
  })

  test('what an address has missed is noted once, out of what is stored, and what was given up is sent again', async () => {
    const missing = { flow: 'wh-missed', paused: { at: START, because: 'asked' as const } }
    await make('wh-missed', { ...missing, events: ['run.finished', 'question.waiting', 'question.expired', 'dead.event'] })
    await make('wh-missed-ends', { ...missing, events: ['run.finished'], runsOf: 'bob' })
    const ended = await runOf('wh-missed')
    await write(ended, ofFlow(plainRun(E1, 1), 'wh-missed'))
    await write(await runOf('wh-missed', 'ada', 'import'), ofFlow(plainRun(E1, 1), 'wh-missed'))
    await write(await runOf('wh-missed-else'), ofFlow(plainRun(E1, 1), 'wh-missed-else'))
    const asking = await runOf('wh-missed')
    const lock = (seq: number, lid: string) => record(E1, seq, 'lock', { lid, name: 'go?', form: {}, data: null, expires_at: START + 100 })
    const lease = record(E1, 9, 'lease', { lid: 'b', expired: true, at: START + 101 })
    await write(asking, [...ofFlow(opening(E1), 'wh-missed'), lock(6, 'a'), lock(7, 'b'), lock(8, 'c'), lease])
    await write(asking, [record(E1, 10, 'lease', { lid: 'c', answer: true, by: 'ada', at: START + 102 })])
    await store().dead.add({ fid: ended, position: `${E1}-99`, reason: 'poison', body: '{', at: START + 50 })
    expect(await told('wh-missed')).toEqual([])
    for (const id of ['wh-missed', 'wh-missed-ends']) await store().webhooks.change(id, { paused: null })
    expect(await store().webhooks.catchUp('wh-missed', START + 10_000, START + 10_001)).toBe(0)
    expect(await store().webhooks.catchUp('wh-missed', START - 1, START + 10_001)).toBe(4)
    expect(await store().webhooks.catchUp('wh-missed-ends', START - 1, START + 10_001)).toBe(0)
    const notices = await told('wh-missed')
    expect(notices.map(({ type, fid, lid, detail }) => [type, fid, lid, detail].join(' ')).toSorted()).toEqual([
      `dead.event ${ended}  ${E1}-99`,
      `question.expired ${asking} b go?`,
      `question.waiting ${asking} a go?`,
      `run.finished ${ended}  `,
    ])
    const [id = ''] = notices.map((one) => one.id)
    await store().webhooks.claim(id, 0, START + 10_030)
    await store().webhooks.settle(id, 1, START + 10_002, { state: 'failed', nextAt: null, lastStatus: 500, problem: 'no' })
    expect(await store().webhooks.catchUp('wh-missed', START - 1, START + 10_003)).toBe(1)
    expect((await told('wh-missed')).map(({ state, attempts }) => [state, attempts])).toEqual(Array.from({ length: 4 }, () => ['waiting', 0]))
    // Noted before and told once: an end is no news a second time.
    await write(ended, ofFlow(plainRun(E1, 1), 'wh-missed'))
    expect(await told('wh-missed')).toHaveLength(4)
    for (const each of ['wh-missed', 'wh-missed-ends']) await store().webhooks.delete(each)
  })

  test('a question is noted when it waits, once when it is nearly due, and when it expires', async () => {
    await make('wh-asked', { events: ['question.waiting', 'question.due', 'question.expired'] })
    const fid = await runOf('wh-asked')
    const lock = (seq: number, lid: string, expiresAt: number | null) =>
      record(E1, seq, 'lock', { lid, name: 'go?', form: {}, data: null, expires_at: expiresAt })
    const asked = lock(6, 'a', START + 100)
    await write(fid, [...ofFlow(opening(E1), 'wh-asked'), asked, lock(7, 'b', null)])
    expect(await types('wh-asked')).toEqual(['question.waiting', 'question.waiting'])
    await store().webhooks.noteDue(asked.ts + (START + 100 - asked.ts) * 0.7)
    expect(await types('wh-asked')).not.toContain('question.due')
    for (const at of [0.85, 0.95]) await store().webhooks.noteDue(asked.ts + (START + 100 - asked.ts) * at)
    await write(fid, [record(E1, 8, 'lease', { lid: 'a', expired: true, at: START + 101 })])
    await write(fid, [record(E1, 9, 'lease', { lid: 'b', answer: true, by: 'ada', at: START + 101 })])
    await store().webhooks.noteDue(START + 200)
    expect(await types('wh-asked')).toEqual(['question.due', 'question.expired', 'question.waiting', 'question.waiting'])
    expect((await told('wh-asked')).find(({ type }) => type === 'question.due')).toMatchObject({ fid, lid: 'a', detail: 'go?', user: 'ada' })
  })

  test('dead events and alarms are noted once, alarms only for addresses that take everything', async () => {
    await make('wh-dead', { events: ['dead.event'] })
    await make('wh-alarm', { events: ['alarm.raised', 'alarm.over'], flow: null })
    const fid = await runOf('wh-dead')
    for (let n = 0; n < 2; n++) await store().dead.add({ fid, position: `${E1}-7`, reason: 'poison', body: '{', at: START })
    await make('wh-cold', { events: ['flow.cold', 'webhook.disabled'], flow: 'wh-dead' })
    const delay = { fact: 'events delayed 1', flow: null, detail: 'no_spooler', at: START } as const
    for (let n = 0; n < 2; n++) await store().webhooks.noteAlarm({ type: 'alarm.raised', ...delay })
    await store().webhooks.noteAlarm({ type: 'alarm.over', ...delay })
    for (const flow of ['wh-dead', 'wh-else', null]) await store().webhooks.noteAlarm({ type: 'flow.cold', fact: `${flow} 1`, flow, detail: null, at: START })
    await store().webhooks.noteAlarm({ type: 'webhook.disabled', fact: 'wh-alarm 1', flow: null, detail: 'wh-alarm', at: START })
    expect((await told('wh-cold')).map(({ type, flow }) => [type, flow])).toEqual([['flow.cold', 'wh-dead']])
    expect((await told('wh-dead')).map(({ type, detail, flow }) => [type, detail, flow])).toEqual([['dead.event', `${E1}-7`, 'wh-dead']])
    expect(await types('wh-alarm')).toEqual(['alarm.over', 'alarm.raised'])
    await store().webhooks.delete('wh-alarm')
  })

  test('of many who see a due notice one sends it; not settled, it is due again; a late word does not count', async () => {
    await make('wh-sent')
    const id = await store().webhooks.noteTest('wh-sent', START)
    const due = async (at: number) => (await store().webhooks.due('wh-sent', at, 10)).map((one) => [one.id, one.attempts])
    expect([await due(START - 1), await due(START)]).toEqual([[], [[id, 0]]])
    const claims = await Promise.all([1, 2, 3].map(() => store().webhooks.claim(id, 0, START + 30)))
    expect(claims.filter(Boolean)).toEqual([true])
    expect([await due(START + 29), await due(START + 30)]).toEqual([[], [[id, 1]]])
    expect(await store().webhooks.claim(id, 1, START + 60)).toBe(true)
    await store().webhooks.settle(id, 1, START + 31, { state: 'failed', nextAt: null, lastStatus: 500, problem: 'late' })
    expect((await told('wh-sent'))[0]).toMatchObject({ state: 'waiting', attempts: 2, lastStatus: null })
    await store().webhooks.settle(id, 2, START + 32, { state: 'waiting', nextAt: START + 100, lastStatus: 503, problem: 'busy' })
    expect((await told('wh-sent'))[0]).toMatchObject({ state: 'waiting', nextAt: START + 100, lastAt: START + 32, lastStatus: 503, problem: 'busy' })
  })

  test('giving up marks the address as failing until a notice arrives; a notice is sent again on demand; old ones go', async () => {
    await make('wh-fails')
    const failing = async () => (await store().webhooks.get('wh-fails'))?.failingSince
    const [first, second] = [await store().webhooks.noteTest('wh-fails', START), await store().webhooks.noteTest('wh-fails', START + 1)]
    for (const [n, id] of [first, second].entries()) {
      await store().webhooks.claim(id, 0, START + 30)
      await store().webhooks.settle(id, 1, START + 2 + n, { state: 'failed', nextAt: null, lastStatus: null, problem: 'nobody answers' })
    }
    expect(await failing()).toBe(START + 2)
    expect((await store().webhooks.totals()).failing).toBe(1)
    expect([await store().webhooks.resend('wh-fails', first, START + 40), await store().webhooks.resend('wh-other', first, START)]).toEqual([true, false])
    await store().webhooks.claim(first, 0, START + 70)
    await store().webhooks.settle(first, 1, START + 41, { state: 'delivered', nextAt: null, lastStatus: 204, problem: null })
    expect(await failing()).toBeNull()
    const page = await store().webhooks.deliveries('wh-fails', { limit: 1 })
    expect(page.items.map(({ id }) => id)).toEqual([second])
    expect((await store().webhooks.deliveries('wh-fails', { limit: 1, cursor: page.next ?? '' })).items.map(({ id }) => id)).toEqual([first])
    expect((await store().webhooks.deliveries('wh-fails', { state: 'failed', limit: 9 })).items.map(({ id }) => id)).toEqual([second])
    await store().webhooks.noteTest('wh-fails', START + 2)
    await store().webhooks.prune(START + 10)
    expect((await told('wh-fails')).map(({ state }) => state)).toEqual(['waiting'])
    await expect(store().webhooks.deliveries('wh-fails', { limit: 1, cursor: 'x' })).rejects.toMatchObject({ code: 'bad_cursor' })
  })
}
