import { Argument, Command } from 'commander'
import type { CommandContext } from './context.ts'

/** `koco completion bash|zsh|fish`: a script by which the shell completes commands and options. */
export function completionCommand(context: CommandContext): Command {
  return new Command('completion')
    .description('Print a script by which your shell completes commands and options: source <(koco completion bash); fish: koco completion fish | source')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: string) => {
      const program = await context.wholeProgram()
      context.io.out(SCRIPTS[shell as keyof typeof SCRIPTS](program))
    })
}

const SCRIPTS = {
  bash: bashScript,
  // zsh runs functions for bash once it was told to.
  zsh: (program: Command): string => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(program)}`,
  fish: fishScript,
}

const FORMS = 'table json ids'

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
    -o|--output) COMPREPLY=($(compgen -W '${FORMS}' -- "$current")); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [ -n "$(_koco_words "$path \${COMP_WORDS[i]}")" ]; then path="$path \${COMP_WORDS[i]}"; fi
  done
  COMPREPLY=($(compgen -W "$(_koco_words "$path")" -- "$current"))
}
complete -o default -F _koco koco`
}

function fishScript(program: Command): string {
  const cases = pathsOf(program, []).map(({ path, words }) => `    case '${path}'\n      printf '%s\\n' ${words.join(' ')}`)
  return `function __koco_words
  switch "$argv"
${cases.join('\n')}
  end
end
function __koco_complete
  set -l path koco
  for word in (commandline -opc)[2..-1]
    if test (count (__koco_words $path $word)) -gt 0
      set path $path $word
    end
  end
  set -l current (commandline -ct)
  set -l found (__koco_words $path | string match -- "$current*")
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path $current
  end
end
complete -c koco -f -a '(__koco_complete)'
complete -c koco -s o -l output -x -a '${FORMS}'`
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
