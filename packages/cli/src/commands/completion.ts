import { Argument, Command } from 'commander'
import type { CommandContext } from './context.ts'

/** `koco completion bash|zsh`: a script by which the shell completes commands and options. */
export function completionCommand(context: CommandContext): Command {
  return new Command('completion')
    .description('Print a script by which your shell completes commands and options: source <(koco completion bash)')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh']))
    .action(async (shell: string) => {
      const program = await context.wholeProgram()
      // zsh runs functions for bash once it was told to.
      context.io.out((shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : '') + bashScript(program))
    })
}

/** The words that may follow each command are looked up by its path; what is no command below it is a value or an option and does not lead further. */
function bashScript(program: Command): string {
  const cases = pathsOf(program, []).map(({ path, words }) => `    '${path}') echo '${words.join(' ')}' ;;`)
  return `_koco_words() {
  case "$1" in
${cases.join('\n')}
  esac
}
_koco() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='koco' i
  case "$before" in
    -o|--output) COMPREPLY=($(compgen -W 'table json ids' -- "$current")); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [ -n "$(_koco_words "$path \${COMP_WORDS[i]}")" ]; then path="$path \${COMP_WORDS[i]}"; fi
  done
  COMPREPLY=($(compgen -W "$(_koco_words "$path")" -- "$current"))
}
complete -o default -F _koco koco`
}

type Path = { readonly path: string; readonly words: readonly string[] }

function pathsOf(command: Command, above: readonly string[]): Path[] {
  const names = [...above, command.name()]
  const below = command.createHelp().visibleCommands(command)
  const options = command
    .createHelp()
    .visibleOptions(command)
    .map((option) => option.long ?? option.short ?? '')
  return [{ path: names.join(' '), words: [...below.map((one) => one.name()), ...options] }, ...below.flatMap((one) => pathsOf(one, names))]
}
