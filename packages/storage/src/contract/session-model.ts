// Goal: whatever is done to a session in whatever order, and however often its store is opened again, it stands as a model of a few lines says. Method: random commands; the seed is printed on failure.
import { within } from '@koco/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ChatMessage, CommandOutcome, SessionCommand } from '../port/sessions.ts'
import { START, type OpenFixture } from './scenario.ts'

const TEST_MS = 60_000

type Act = SessionCommand | { readonly do: 'reopen' } | { readonly do: 'stale' }

/** A conversation in memory. */
class Model {
  live: string[] = []
  undone: string[][] = []
  turn: string | null = null
  began: string | null = null
  ended = new Set<string>()
  revision = 1
  uses = 0

  /** What becomes of a command. */
  take(command: SessionCommand): CommandOutcome['outcome'] {
    const outcome = this.#apply(command)
    if (outcome === 'done') this.revision += 1
    return outcome
  }

  #apply(command: SessionCommand): CommandOutcome['outcome'] {
    if (this.turn !== null && ['append', 'truncate', 'undo', 'redo', 'start-turn'].includes(command.do)) return 'busy'
    switch (command.do) {
      case 'append':
        return this.#say(command.messages)
      case 'truncate':
        return this.#cut(command.keep)
      case 'undo': {
        const starts = this.live.flatMap((text, index) => (text.startsWith('user') ? [index] : []))
        return starts.length === 0 ? 'nothing' : this.#cut(starts.at(-command.turns) ?? starts[0] ?? 0)
      }
      case 'redo': {
        const restored = this.undone.pop()
        if (!restored) return 'nothing'
        this.live.push(...restored)
        return 'done'
      }
      case 'start-turn':
        this.turn = command.fid
        this.began = typeof command.message === 'object' ? said(command.message) : null
        return this.#say(typeof command.message === 'object' ? [command.message] : [])
      case 'end-turn':
      case 'abandon-turn':
        if (this.turn !== command.fid) return this.ended.has(command.fid) ? 'over' : 'idle'
        this.turn = null
        this.ended.add(command.fid)
        if (command.do === 'end-turn') {
          this.uses += command.uses.length
          return this.#say(command.messages)
        }
        this.live = this.live.filter((text) => text !== this.began)
        return 'done'
      default:
        throw new Error(`the model does not know ${command.do}`)
    }
  }

  #say(messages: readonly ChatMessage[]): 'done' {
    if (messages.length > 0) this.undone = []
    this.live.push(...messages.map(said))
    return 'done'
  }

  #cut(keep: number): 'done' | 'nothing' {
    if (keep >= this.live.length) return 'nothing'
    this.undone.push(this.live.splice(keep))
    return 'done'
  }
}

function said({ role, content }: ChatMessage): string {
  return `${role} ${JSON.stringify(content)}`
}

let count = 0
const someMessage = fc.constantFrom('user', 'assistant').map((role): ChatMessage => {
  count += 1
  return { id: `r${count}`, role, content: count }
})
const fid = fc.constantFrom('f1', 'f2', 'f3')
const tokens = { input_uncached: 1, cache_read: 0, cache_write: 0, output: 1, reasoning: 0 }
const uses = fc.constantFrom([], [{ provider: 'p', model: 'm', at: START, tokens, cost: null }])
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('append' as const), messages: fc.array(someMessage, { minLength: 1, maxLength: 3 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('truncate' as const), keep: fc.nat(6) }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant('undo' as const), turns: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 9, arbitrary: fc.constant({ do: 'redo' as const }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('start-turn' as const), fid, kind: fc.constant('chat' as const), message: someMessage }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('end-turn' as const),
      fid,
      end: fc.constant('finished' as const),
      messages: fc.array(someMessage, { maxLength: 2 }),
      uses,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('abandon-turn' as const), fid }) },
  { weight: 3, arbitrary: fc.constant({ do: 'stale' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
)

/** The session store against the model. */
export function describeSessionModel(open: OpenFixture): void {
  test('a session stands as its model, whatever was done to it', { timeout: TEST_MS }, async () => {
    const fixture = await open()
    let sessions = 0
    try {
      const property = fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 40 }), async (acts) => {
        sessions += 1
        const id = sessions.toString(16).padStart(12, '0')
        await fixture.store.sessions.create({ id, user: 'ada', at: START })
        const model = new Model()
        for (const one of acts) {
          if (one.do === 'reopen') await fixture.reopen()
          else if (one.do === 'stale') {
            const outcome = await fixture.store.sessions.change(id, { do: 'undo', turns: 1 }, { at: START, expectedRevision: model.revision + 1 })
            expect(outcome).toEqual({ outcome: 'stale', revision: model.revision })
          } else {
            const { outcome } = await fixture.store.sessions.change(id, one, { at: START })
            expect(outcome).toBe(model.take(one))
          }
        }
        const found = await fixture.store.sessions.read(id)
        expect(found?.messages.map(said)).toEqual(model.live)
        expect(found?.uses).toHaveLength(model.uses)
        const { revision, undone, turn } = model
        expect(await fixture.store.sessions.get(id)).toMatchObject({ revision, undone: undone.length, messageCount: model.live.length })
        expect(found?.session.turn?.fid ?? null).toBe(turn)
      })
      await fc.assert(property, { numRuns: 25, ...within(TEST_MS) })
    } finally {
      await fixture.dispose()
    }
  })
}
