import yargs from 'yargs';
import { canonicalFlag } from '../canonical-flag.js';

/** What `fleetd install` is asked to do. */
export interface InstallRequest {
  /** Whether it is for the user's own systemd, below the user's directories. */
  readonly isUser: boolean;
  readonly isUninstall: boolean;
  /** Only with `isUninstall`. */
  readonly isPurging: boolean;
  readonly isStarting: boolean;
  /** Whether it is only said what would be done. */
  readonly isDryRun: boolean;
}

export type InstallCommand =
  | { readonly kind: 'install'; readonly request: InstallRequest }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'usage'; readonly text: string };

/** Reads the arguments after `fleetd install`. */
export async function parseInstall(args: readonly string[]): Promise<InstallCommand> {
  const parser = createParser();
  let failure: string | undefined;
  parser.fail((message, error) => {
    failure = message ?? error.message;
  });
  const parsed = await parser.parseAsync(args.map(canonicalFlag));
  const { help = false, user = false, uninstall = false, purge = false } = parsed;
  const { 'no-start': noStart = false, 'dry-run': dryRun = false } = parsed;
  const [word] = parsed._;
  if (failure === undefined && word !== undefined) failure = `install takes no arguments: ${word}`;
  if (failure === undefined && purge && !uninstall) failure = '--purge goes with --uninstall';
  if (failure !== undefined) return { kind: 'usage', text: `fleetd: ${failure}\nTry fleetd install --help.` };
  if (help) return { kind: 'help', text: (await parser.getHelp()).replace(/ *\[boolean\]$/gm, '') };
  const request = { isUser: user, isUninstall: uninstall, isPurging: purge, isStarting: !noStart, isDryRun: dryRun };
  return { kind: 'install', request };
}

function createParser() {
  const flag = (describe: string) => ({ type: 'boolean', describe }) as const;
  return yargs()
    .scriptName('fleetd')
    .help(false)
    .version(false)
    .usage(
      'fleetd install [options]\n\nPlaces this fleetd, and the fleetctl beside it, on this host, and runs it as fleet.service. ' +
        'Done again by a newer fleetd, it upgrades; units run on.',
    )
    .epilogue(
      'It places /usr/local/bin/{fleetd,fleetctl}, /etc/systemd/system/fleet.{service,socket}, the group fleet (who is in ' +
        'it may use fleetctl) and, unless there is one, /etc/fleet/fleet.conf with every option explained. Changes of your ' +
        'own to the units belong into drop-ins (systemctl edit fleet).',
    )
    .parserConfiguration({ 'boolean-negation': false, 'camel-case-expansion': false })
    .option('user', flag('for you alone: ~/.local/bin, ~/.config/systemd/user, ~/.config/fleet; without root'))
    .option('no-start', flag('start and restart nothing: there is a configuration to write first, say'))
    .option('uninstall', flag('stop this host’s units, leave the cluster, and remove what was installed'))
    .option('purge', flag('with --uninstall: remove /etc/fleet, /var/lib/fleet and the group as well'))
    .option('dry-run', flag('only say what would be done'))
    .option('help', { ...flag('print this text and exit'), alias: 'h' })
    .strictOptions()
    .exitProcess(false)
    .wrap(80);
}
