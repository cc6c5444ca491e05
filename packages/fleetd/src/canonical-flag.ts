/** `-config` means `--config`, and `--agent_ttl`, as the option is written in the file, means `--agent-ttl`. */
export function canonicalFlag(arg: string): string {
  const [, name, rest] = /^--?([a-z][a-z_-]+)(=.*)?$/s.exec(arg) ?? [];
  return name === undefined ? arg : `--${name.replaceAll('_', '-')}${rest ?? ''}`;
}
