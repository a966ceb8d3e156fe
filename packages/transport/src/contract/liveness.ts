import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { LivenessBoard } from '../port.ts'
import type { OpenTransport, TransportUnderTest } from './harness.ts'

/** The suite of the board: whose tasks count as lost, and for whom. The transport under test has a short worker's life. */
export function livenessContract(open: OpenTransport): void {
  let at: TransportUnderTest
  let board: LivenessBoard

  beforeEach(async () => {
    at = await open()
    board = at.transport.liveness
  })

  afterEach(() => at.close())

  const silent = (worker: string) =>
    vi.waitFor(async () => expect((await board.workers()).find((one) => one.worker === worker)?.silentMs).toBeGreaterThan(board.lifeMs), 25_000)

  test('a worker that falls silent is reported with its tasks, and only with those', async () => {
    await board.beat('dead')
    await board.take('dead', 'one')
    await board.take('dead', 'two')
    await board.take('dead', 'done')
    await board.drop('dead', 'done')
    await silent('dead')
    // In one breath: a worker that lives may not fall silent while this test waits for its turn.
    const [, , lost] = await Promise.all([board.beat('alive'), board.take('alive', 'mine'), board.lost(60_000)])
    expect(lost.map(({ worker, tasks }) => [worker, tasks.toSorted()])).toEqual([['dead', ['one', 'two']]])
  })

  test('what one caller was told others are not told, until the claim is over', async () => {
    await board.beat('dead')
    await board.take('dead', 'one')
    await silent('dead')
    expect(await board.lost(1)).toHaveLength(1)
    await vi.waitFor(async () => expect(await board.lost(60_000)).toHaveLength(1), 25_000)
    expect(await board.lost(60_000)).toEqual([])
  })

  test('a task that another worker has taken since is not the dead one’s', async () => {
    await board.beat('dead')
    await board.take('dead', 'one')
    await board.take('other', 'one')
    await board.drop('dead', 'one')
    await silent('dead')
    const [, lost] = await Promise.all([board.beat('other'), board.lost(60_000)])
    expect(lost).toEqual([{ worker: 'dead', tasks: [] }])
    expect(await board.workers()).toContainEqual(expect.objectContaining({ worker: 'other', tasks: 1 }))
  })

  test('a forgotten worker is gone with its tasks; a beat brings it back without them', async () => {
    await board.beat('dead')
    await board.take('dead', 'one')
    await board.forget('dead')
    expect(await board.workers()).toEqual([])
    await board.beat('dead')
    expect(await board.workers()).toEqual([{ worker: 'dead', tasks: 0, silentMs: expect.any(Number) }])
  })
}
