import type { CheckpointComparison, CheckpointTree, Merge } from '@koco/core/api'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { printItem, timeText } from '../output/table.ts'
import { parseObject, pathOf } from './checkpoint-shape.ts'
import { CLIENT_SETTINGS, outputForm, outputOption, type CommandContext } from './context.ts'

/** restore, compare, merge and tree. */
export function checkpointBranchCommands(context: CommandContext): Command[] {
  return [restoreCommand(context), compareCommand(context), mergeCommand(context), treeCommand(context)]
}

type RestoreOptions = {
  newSession?: string
  sessionOptions?: string
  include?: string[]
  exclude?: string[]
  skipMissing?: boolean
  inPlace?: boolean
  dryRun?: boolean
  output: string
}

function restoreCommand(context: CommandContext): Command {
  const command = new Command('restore')
    .description('Make a session of a checkpoint, or put its session back')
    .argument('<id>')
    .option('--dry-run', 'only say what would change')
    .option('--in-place', 'put the session itself back; a checkpoint of what is replaced is made first')
    .option('--new-session <id>', 'the id of the session that is made')
    .option('--session-options <json>', 'what its state gets besides, a JSON object')
    .option('--include <glob...>', 'only these files')
    .option('--exclude <glob...>', 'without these files')
    .option('--skip-missing', 'go on without files whose content is gone')
    .addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (id: string, options: RestoreOptions) => {
    const { newSession, sessionOptions, include, exclude, skipMissing, inPlace, dryRun } = options
    const answer = await context.client(command).call<{ session_id: string | null }>('POST', `${pathOf(id)}/restore`, {
      new_session_id: newSession,
      session_options: sessionOptions === undefined ? undefined : parseObject(sessionOptions, '--session-options'),
      include,
      exclude,
      skip_missing_files: skipMissing,
      in_place: inPlace,
      dry_run: dryRun,
    })
    printItem(context.io, outputForm(options), answer.session_id ?? id, answer)
  })
}

function compareCommand(context: CommandContext): Command {
  const command = new Command('compare').description('What is different between two checkpoints').argument('<a>').argument('<b>').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (a: string, b: string, options: { output: string }) => {
    const query = new URLSearchParams({ a, b })
    const found = await context.client(command).call<CheckpointComparison>('GET', `/api/checkpoints/compare?${query.toString()}`)
    const form = outputForm(options)
    if (form !== 'table') return printItem(context.io, form, found.ancestor ?? '', found)
    const { files, conversation } = found.differences
    const lines = [
      `ancestor      ${found.ancestor ?? 'none'}`,
      `conversation  ${conversation.common} messages in common, then ${conversation.only1.length} and ${conversation.only2.length}`,
      ...files.added.map((path) => `added         ${path}`),
      ...files.removed.map((path) => `removed       ${path}`),
      ...files.modified.map(({ path, diff }) => `modified      ${path}${diff === null ? ' (no text)' : `\n${diff.trimEnd()}`}`),
    ]
    for (const line of lines) context.io.out(line)
  })
}

function mergeCommand(context: CommandContext): Command {
  const command = new Command('merge')
    .description('Merge two checkpoints into a new session, by their common ancestor')
    .argument('<ours>')
    .argument('<theirs>')
    .addOption(
      new Option('--strategy <strategy>', 'whose way it goes in a conflict; manual tells the conflicts')
        .choices(['ours', 'theirs', 'manual'])
        .default('manual'),
    )
    .option('--resolution <file>', 'a JSON file: {"files": {"<path>": "ours"|"theirs"|{"content": "…"}}, "conversation": "ours"|"theirs"|"both"}')
    .option('--description <text>')
    .addOption(outputOption())
  return context
    .withSettings(command, CLIENT_SETTINGS)
    .action(async (ours: string, theirs: string, options: { strategy: string; resolution?: string; description?: string; output: string }) => {
      const { strategy, description, resolution: file } = options
      const resolution = file === undefined ? undefined : parseObject(await readFile(resolve(context.io.cwd, file), 'utf8'), '--resolution')
      const merged = await context.client(command).call<Merge>('POST', '/api/checkpoints/merge', { ours, theirs, strategy, resolution, description })
      printItem(context.io, outputForm(options), merged.session_id ?? '', merged)
      if (merged.outcome === 'conflicts') context.exit(1)
    })
}

function treeCommand(context: CommandContext): Command {
  const command = new Command('tree').description('The branches that a session belongs to').argument('<session>').addOption(outputOption())
  return context.withSettings(command, CLIENT_SETTINGS).action(async (session: string, options: { output: string }) => {
    const query = new URLSearchParams({ session_id: session })
    const tree = await context.client(command).call<CheckpointTree>('GET', `/api/checkpoints/tree?${query.toString()}`)
    const form = outputForm(options)
    if (form === 'json') return context.io.out(JSON.stringify(tree, null, 2))
    if (form === 'ids') return tree.branches.forEach(({ head }) => context.io.out(head))
    for (const line of treeLines(tree)) context.io.out(line)
  })
}

/** The tree from its roots downwards, children indented where a branch parts. */
function treeLines({ nodes }: CheckpointTree): string[] {
  const byId = new Map(nodes.map((node) => [node.checkpoint.id, node]))
  const seen = new Set<string>()
  const lines: string[] = []
  const draw = (id: string, depth: number): void => {
    const node = byId.get(id)
    if (!node || seen.has(id)) return
    seen.add(id)
    const { created_at, description, session_id } = node.checkpoint
    const isHead = node.children.length === 0
    lines.push(
      `${'  '.repeat(depth)}${isHead ? '●' : '○'} ${id}  ${timeText(created_at)}  ${session_id}  ${description.replaceAll(/\p{Cc}+/gu, ' ')}`.trimEnd(),
    )
    const children = node.children.filter((child) => !seen.has(child))
    children.forEach((child) => draw(child, depth + (children.length > 1 ? 1 : 0)))
  }
  for (const { checkpoint } of nodes) if (checkpoint.parent_id === null || !byId.has(checkpoint.parent_id)) draw(checkpoint.id, 0)
  return lines
}
