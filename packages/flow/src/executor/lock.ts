import { type EventData, type Json } from '@koco/core'
import type { LockOptions } from '../context.ts'
import { durationMs } from '../duration.ts'
import { LockExpiredError } from '../errors.ts'
import { checkZod, formSchema, isZod } from '../schema-check.ts'
import { jsonOf } from '../value.ts'
import { digest } from './digest.ts'
import { escalationsOf, peopleOf } from './lock-people.ts'
import type { JournaledLock } from './journal.ts'
import type { Lease } from './requests.ts'
import { never, type Runtime } from './runtime.ts'
import { outsideSteps } from './step.ts'

/** How often one lock is asked again because the flow refused the answer or a retry voided its end. */
const ASKED_MAX = 1000
/** An answer accepted in the last moment may be on its way into the store: look once more this long after the end, in milliseconds. */
const LAST_MOMENT_MS = 150

/** What people are asked. */
export type Question = Omit<EventData['lock'], 'lid'>

/** One call of `ctx.lock`: the journaled answer, or a question asked and waited for. Undefined when it expired and may. */
export async function askLock(runtime: Runtime, name: string, options: LockOptions<unknown>): Promise<unknown> {
  const frame = runtime.frame()
  outsideSteps(frame, 'lock', name)
  if (runtime.phase === 'closed') return never()
  const claim = frame.names.claim('lock', name, options.key)
  try {
    for (let round = 1; round <= ASKED_MAX; round += 1) {
      const lid = lockId(name, runtime.deps.run.fid, claim.id, round)
      const lease = await leaseOf(runtime, lid, () => questionOf(runtime, name, options))
      if (lease === 'void') continue
      if (lease === 'expired') return expired(name, lid, options)
      const answer = await accepted(runtime, name, options, lease.answer)
      if (answer.ok) return answer.value
    }
    throw new LockExpiredError(`Lock "${name}" was asked ${ASKED_MAX} times and never got an answer that the flow takes.`, { code: 'lock_refused' })
  } finally {
    claim.release()
  }
}

function lockId(name: string, fid: string, id: string, round: number): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32)
  return `${slug === '' ? 'lock' : slug}-${digest([fid, id, round], 8)}`
}

function expired(name: string, lid: string, options: LockOptions<unknown>): undefined {
  if (options.onExpire === 'continue') return undefined
  throw new LockExpiredError(`Nobody answered lock "${name}" (${lid}) in time.`, { code: 'lock_expired' })
}

/** The journaled answer to a question, or the question asked now and waited for. `void`: it expired before the last retry. */
export async function leaseOf(runtime: Runtime, lid: string, question: () => Question): Promise<Lease | 'expired' | 'void'> {
  const { journal } = runtime
  const journaled = journal.locks.get(lid)
  const over = journaled !== undefined && journaled.expiresAt !== null && journaled.expiresAt <= journal.retriedAt
  if (journaled?.lease === 'expired') return over ? 'void' : 'expired'
  if (journaled?.lease) return journaled.lease
  const lease = await escalating(runtime, lid, journaled ?? ask(runtime, lid, question()))
  await journalLease(runtime, lid, lease)
  return lease === 'expired' && over ? 'void' : lease
}

type Asked = Omit<JournaledLock, 'lease'>

function ask(runtime: Runtime, lid: string, question: Question): Asked {
  runtime.emit('lock', { lid, ...question })
  return { expiresAt: question.expires_at, escalations: question.escalations ?? [], escalated: 0 }
}

/** Waits for an answer, and puts the question to others at the times when nobody has given one. */
async function escalating(runtime: Runtime, lid: string, { expiresAt, escalations, escalated }: Asked): Promise<Lease | 'expired'> {
  for (const [index, escalation] of escalations.entries()) {
    if (index < escalated) continue
    const lease = await waitForLease(runtime, lid, escalation.at)
    if (lease !== 'expired') return lease
    runtime.emit('escalate', { lid, step: index + 1, ...escalation })
  }
  return await waitForLease(runtime, lid, expiresAt)
}

function questionOf(runtime: Runtime, name: string, options: LockOptions<unknown>): Question {
  const askedMs = runtime.deps.clock.now()
  const timeoutMs = options.timeout === null ? null : durationMs(options.timeout ?? runtime.deps.limits.lockMs, `timeout of lock "${name}"`)
  const expiresAt = timeoutMs === null ? null : (askedMs + timeoutMs) / 1000
  const data = options.data === undefined ? null : jsonOf(options.data, `The data of lock "${name}"`)
  const people = peopleOf(name, options)
  const escalations = escalationsOf({ name, user: runtime.deps.run.user, askedMs, timeoutMs }, people, options.escalate)
  return { name, form: formSchema(options.form), data, expires_at: expiresAt, ...people, ...(escalations.length > 0 && { escalations }) }
}

async function waitForLease(runtime: Runtime, lid: string, expiresAt: number | null): Promise<Lease | 'expired'> {
  const until = expiresAt === null ? null : expiresAt * 1000
  const waiting = runtime.pending<Lease | 'expired'>(
    () => runtime.activity.wait({ kind: 'lock', id: lid, until }),
    (resolve) => {
      const forget = runtime.requests.expect(lid, resolve)
      const timer =
        until === null
          ? () => undefined
          : runtime.deps.clock.timer(Math.max(0, until - runtime.deps.clock.now()) + LAST_MOMENT_MS, () => {
              runtime.requests.lastLook(lid).then(
                (lease) => resolve(lease ?? 'expired'),
                (error: unknown) => runtime.fail(error),
              )
            })
      return () => {
        forget()
        timer()
      }
    },
  )
  // The question must be out before anybody can answer it; the wait stands already, so that an early answer finds it.
  runtime.flush().catch((error: unknown) => runtime.fail(error))
  return waiting
}

async function journalLease(runtime: Runtime, lid: string, lease: Lease | 'expired'): Promise<void> {
  const end = runtime.begin()
  if (lease === 'expired') runtime.emit('lease', { lid, expired: true, at: runtime.deps.clock.now() / 1000 })
  else {
    const { answer, by, at, reason } = lease
    runtime.emit('lease', { lid, answer, by, at, ...(reason !== undefined && { reason }) })
  }
  await runtime.flush()
  end()
}

// A form may ask for more than its JSON Schema can say (refinements): then the answer is refused here, and asked for again.
async function accepted(
  runtime: Runtime,
  name: string,
  options: LockOptions<unknown>,
  answer: Json,
): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false }> {
  if (!isZod(options.form)) return { ok: true, value: answer }
  const checked = await checkZod(options.form, answer)
  if (checked.ok) return checked
  const why = checked.fields.map(({ path, message }) => `${path === '' ? 'the answer' : path}: ${message}`).join('; ')
  runtime.say('warning', { type: 'text', value: `The answer to "${name}" does not fit and is asked for again: ${why}` })
  return { ok: false }
}
