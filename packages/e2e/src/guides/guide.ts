/** A guide of TESTING.md: its heading and its blocks of commands, by the language that they are marked with. */
export type Guide = { readonly title: string; readonly commands: readonly string[]; readonly docker: readonly string[] }

/** The guides of a page: the level-two headings below `# Guides` that have blocks of `sh` or `docker`. */
export function readGuides(page: string): Guide[] {
  const [, text = ''] = page.split(/^# Guides$/m)
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => ({ title: section.split('\n')[0] ?? '', commands: blocks(section, 'sh'), docker: blocks(section, 'docker') }))
    .filter(({ commands, docker }) => commands.length + docker.length > 0)
}

function blocks(section: string, language: string): string[] {
  const found = section.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))
  return [...found].flatMap(([, block = '']) => block.trimEnd().split('\n'))
}

const SHOWS = /^(.*?)\s+# shows: (.+)$/

/**
 * The guide as a script for bash. It stops at the first command that fails, or that does not print what the guide says after `# shows`. With job control, so that `kill %1` ends a whole job as it does
 * at a prompt; at its end all jobs are told to end.
 */
export function guideScript(commands: readonly string[]): string {
  const lines = commands.map((line, index) => {
    const [, command = line, shows] = SHOWS.exec(line) ?? []
    const said = `echo ${quoted(`$ ${command}`)}`
    if (shows === undefined) return `${said}\n${command}`
    const checks = shows
      .split(',')
      .map((text) => `grep -qF -- ${quoted(text.trim())} "$TMPDIR/out.${index}" || { echo ${quoted(`not shown: ${text.trim()}`)}; exit 1; }`)
    return [said, `{ ${command}; } > "$TMPDIR/out.${index}" 2>&1 || { cat "$TMPDIR/out.${index}"; exit 1; }`, `cat "$TMPDIR/out.${index}"`, ...checks].join(
      '\n',
    )
  })
  return ['set -m -e -o pipefail', "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", ...lines].join('\n')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** What a `docker compose` command names: the options before its verb, the verb, and the words after it that are no options. */
export type ComposeCommand = { readonly profiles: readonly string[]; readonly verb: string; readonly services: readonly string[] }

const WITH_VALUE = new Set(['--profile', '--scale'])

/** Reads a `docker compose` command; throws for a line that is none. `--scale spooler=3` names its service too. */
export function readComposeCommand(line: string): ComposeCommand {
  const [docker, compose, ...words] = line.split(' ')
  if (docker !== 'docker' || compose !== 'compose') throw new Error(`"${line}" is no docker compose command`)
  const values = (option: string) => words.flatMap((word, index) => (word === option ? [words[index + 1] ?? ''] : []))
  const plain = words.filter((word, index) => !word.startsWith('-') && !WITH_VALUE.has(words[index - 1] ?? ''))
  const [verb = '', ...services] = plain
  return { profiles: values('--profile'), verb, services: [...services, ...values('--scale').map((value) => value.split('=')[0] ?? '')] }
}
