/** Shells that there is a script for. */
export type Shell = 'bash' | 'zsh' | 'fish';

/**
 * bash begins a word behind `=` and `:`, and with `@`, unless it is told otherwise: what stands before that on the line
 * must not be in the answer. Where nothing is known, file names are completed.
 */
const bash = `# Completion of fleetctl for bash: source <(fleetctl completion bash)
_fleetctl() {
  local line=\${COMP_LINE:0:COMP_POINT} word part kept candidate
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[-1]}
  part=\${word##*[:=]}
  [[ $COMP_WORDBREAKS == *@* && $part == *@* ]] && part=@\${part##*@}
  kept=\${word%"$part"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    [[ $candidate == "$word"* ]] && COMPREPLY+=("\${candidate#"$kept"}")
  done < <("\${words[0]}" completion words -- "\${words[@]:1}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[@=] ]]; then compopt -o nospace 2>/dev/null; fi
}
complete -o default -F _fleetctl fleetctl
`;

const zsh = `#compdef fleetctl
# Completion of fleetctl for zsh: source <(fleetctl completion zsh)
_fleetctl() {
  local -a candidates
  candidates=("\${(@f)$("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[*]}" ]]; then compadd -- "\${candidates[@]}"; else _files; fi
}
compdef _fleetctl fleetctl
`;

const fish = `# Completion of fleetctl for fish: fleetctl completion fish | source
function __fleetctl_words
    set -l words (commandline -opc)
    $words[1] completion words -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c fleetctl -a '(__fleetctl_words)'
`;

/** What a shell has to read to complete lines of fleetctl. It asks `fleetctl completion words` each time. */
export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
