// A command-line agent of our own, for tests: reads what it is told from stdin, answers in stream-JSON, and does as its first argument says.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

const [mode = 'answer', ...args] = process.argv.slice(2)
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
const forever = (): void => void setInterval(() => undefined, 1_000)

const modes: Readonly<Record<string, () => void>> = {
  answer() {
    const told = readFileSync(0, 'utf8')
    say({ type: 'system', subtype: 'init', model: 'tiny-cli' })
    say({
      type: 'assistant',
      message: {
        content: [
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 't1', name: 'Read', input: { path: 'notes.txt' } },
        ],
      },
    })
    say({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 't1', content: 'nothing there' }] } })
    writeFileSync('notes.txt', told)
    process.stdout.write('a plain line\n')
    process.stderr.write('a warning\n')
    say({ type: 'stream_event', event: { type: 'content_block_delta', delta: { type: 'text_delta', text: 'You said ' } } })
    say({ type: 'assistant', message: { content: [{ type: 'text', text: `You said ${told}` }] } })
    const usage = { input_tokens: 10, cache_read_input_tokens: 5, cache_creation_input_tokens: 2, output_tokens: 7 }
    say({ type: 'result', subtype: 'success', result: `You said ${told}`, usage, total_cost_usd: 0.25, duration_ms: 12 })
  },
  show: () => say({ args, cwd: process.cwd(), env: Object.keys(process.env).toSorted(), home: process.env['HOME'] }),
  fail() {
    process.stderr.write('cannot\n')
    process.exitCode = 3
  },
  /** Says half a sentence and hangs, deaf to SIGTERM when told so, with a child that leaves the group. */
  hang() {
    if (args[0] === 'deaf') process.on('SIGTERM', () => undefined)
    const child = spawn(process.execPath, [import.meta.filename, 'sleep'], { detached: true, stdio: 'ignore' })
    say({ type: 'stream_event', event: { type: 'content_block_delta', delta: { type: 'text_delta', text: 'Half a ' } } })
    say({ pids: [process.pid, child.pid] })
    forever()
  },
  sleep: forever,
  memory() {
    const kept: Buffer[] = []
    setInterval(() => kept.push(Buffer.alloc(8 * 2 ** 20, 1)), 5)
  },
  cpu() {
    for (;;) Math.sqrt(2)
  },
  output: () => void setInterval(() => process.stdout.write('x'.repeat(10_000)), 1),
  disk() {
    let count = 0
    setInterval(() => writeFileSync(`f${(count += 1)}`, Buffer.alloc(200_000)), 5)
  },
  file: () => writeFileSync('big', Buffer.alloc(3 * 2 ** 20)),
}

modes[mode]?.()
