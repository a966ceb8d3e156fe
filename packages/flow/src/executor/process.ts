import { AsyncResource } from 'node:async_hooks'
import { isJsonObject, parseJson, RefusedError, type Json } from '@koco/core'
import { defaultProcessLimits, type ProcessOptions, type ProcessResult } from '../process/port.ts'
import { runProcess, type ProcessListener } from '../process/run-process.ts'
import { jsonOf } from '../value.ts'
import type { WorkspaceKey } from '../workspace/port.ts'
import type { Runtime } from './runtime.ts'
import { runStep } from './step.ts'

/** One call of `ctx.process`: a step in which a program runs. */
export async function callProcess(runtime: Runtime, name: string, options: ProcessOptions): Promise<ProcessResult> {
  const { key, command } = options
  if (!Array.isArray(command) || command.length === 0 || command.some((part) => typeof part !== 'string' || part.includes('\0')))
    throw new RefusedError(`ctx.process(${JSON.stringify(name)}, …) needs \`command\`: the program and its arguments, each a text.`, { code: 'bad_call' })
  const done = await runStep(runtime, name, key === undefined ? {} : { key }, ({ signal }) => inWorkspace(runtime, options, signal))
  return done as ProcessResult
}

async function inWorkspace(runtime: Runtime, options: ProcessOptions, signal: AbortSignal): Promise<ProcessResult> {
  const { run, workspaces, owner, attempt } = runtime.deps
  if (!workspaces) throw new RefusedError('No workspaces are kept here: set KODO_WORKSPACE_DIR where flows run.', { code: 'no_workspaces' })
  const workspace: WorkspaceKey = { user: run.user, session: options.session ?? run.fid.slice(-12) }
  const limits = { ...defaultProcessLimits, diskBytes: workspaces.limits.bytesMax, ...options.limits }
  const place = {
    folder: await workspaces.folder(workspace),
    run: run.fid,
    attempt: `${owner}/${attempt}`,
    path: process.env['PATH'] ?? '/usr/bin:/bin',
    limits,
    diskUse: async () => (await workspaces.use(workspace)).bytes,
  }
  return await runProcess(options, place, listenerOf(runtime, options), signal)
}

/** What the program writes comes in the context of its step. */
function listenerOf(runtime: Runtime, { onLine }: ProcessOptions): ProcessListener {
  const emit = onLine ?? ((line: Json): void => runtime.say('action', { name: 'process', value: jsonOf(line, 'A line of a program') }))
  return {
    stdout: AsyncResource.bind((line: string) => {
      const json = objectIn(line)
      if (json) emit(json)
      else runtime.print('stdout', line)
    }),
    stderr: AsyncResource.bind((line: string) => void runtime.print('stderr', line)),
  }
}

function objectIn(line: string): { readonly [field: string]: Json } | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = parseJson(line)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined // A line that only looks like JSON is text.
  }
}
