import type { FleetctlCommand } from './command.js';

/** What the cluster has names of. */
export type NameKind = 'unit' | 'machine' | 'directory' | 'lost-directory-host';

/** A command as the list of commands shows it; the rest is loaded when it is called. */
export interface CatalogueEntry {
  readonly name: string;
  /** What follows the name in the usage line. */
  readonly usage: string;
  readonly summary: string;
  /** It is for programs: the help does not show it. */
  readonly isHidden?: true;
  /** What its arguments are names of, if its usage does not say it. */
  readonly completes?: NameKind;
  /** Those below it; every other word is an argument of its own. */
  readonly commands?: readonly CatalogueEntry[];
  load(): Promise<FleetctlCommand>;
}

/** A command that only has commands below it. */
export interface CommandGroup extends Omit<CatalogueEntry, 'load' | 'completes' | 'commands'> {
  readonly commands: readonly (CatalogueEntry | CommandGroup)[];
  /** At the end of its help. */
  readonly examples: readonly string[];
}

/** All commands, in the order of the help. */
export const catalogue: readonly (CatalogueEntry | CommandGroup)[] = [
  {
    name: 'submit',
    usage: '[flags] UNIT...',
    summary: 'Register unit files, without running them',
    load: async () => (await import('./commands/submit.js')).submit,
  },
  {
    name: 'load',
    usage: '[flags] UNIT...',
    summary: 'Place units on machines, without starting them',
    load: async () => (await import('./commands/load.js')).load,
  },
  {
    name: 'start',
    usage: '[flags] UNIT...',
    summary: 'Run units, registering them first if need be',
    load: async () => (await import('./commands/start.js')).start,
  },
  {
    name: 'restart',
    usage: '[flags] UNIT...',
    summary: 'Restart units where they are, instances one by one',
    load: async () => (await import('./commands/restart.js')).restartCommand,
  },
  {
    name: 'stop',
    usage: '[flags] UNIT...',
    summary: 'Stop units; they stay loaded where they are',
    load: async () => (await import('./commands/stop.js')).stop,
  },
  {
    name: 'unload',
    usage: '[flags] UNIT...',
    summary: 'Stop units and take them off their machines',
    load: async () => (await import('./commands/unload.js')).unload,
  },
  {
    name: 'destroy',
    usage: '[flags] UNIT...',
    summary: 'Stop units and forget them',
    load: async () => (await import('./commands/destroy.js')).destroyCommand,
  },
  {
    name: 'diff',
    usage: '[flags] PATH...',
    summary: 'Show what apply would change',
    load: async () => (await import('./commands/diff.js')).diff,
  },
  {
    name: 'apply',
    usage: '[flags] PATH...',
    summary: 'Make the cluster have the units of directories or files',
    load: async () => (await import('./commands/apply.js')).apply,
  },
  {
    name: 'cat',
    usage: '[flags] UNIT',
    summary: 'Print a registered unit file',
    load: async () => (await import('./commands/cat.js')).cat,
  },
  {
    name: 'list-units',
    usage: '[flags] [UNIT...]',
    summary: "Show what runs where, in systemd's words",
    load: async () => (await import('./commands/list-units.js')).listUnits,
  },
  {
    name: 'list-unit-files',
    usage: '[flags] [UNIT...]',
    summary: 'Show the registered units: what was asked, and what is',
    load: async () => (await import('./commands/list-unit-files.js')).listUnitFiles,
  },
  {
    name: 'status',
    usage: '[flags] [UNIT...]',
    summary: 'Show how units fare, and what they wait for',
    load: async () => (await import('./commands/status.js')).status,
  },
  {
    name: 'explain',
    usage: '[flags] UNIT...',
    summary: 'Say why a unit is where it is, or nowhere: each machine, each rule',
    load: async () => (await import('./commands/explain.js')).explain,
  },
  {
    name: 'adopt',
    usage: '[flags] UNIT...',
    summary: 'Take units from a directory, or give them to one',
    load: async () => (await import('./commands/adopt.js')).adopt,
  },
  {
    name: 'dirs',
    usage: '[flags] [NAME...]',
    summary: 'Show the watched directories, and see to what they wait for: confirm, forget',
    load: async () => (await import('./commands/dirs.js')).dirs,
    commands: [
      {
        name: 'confirm',
        usage: '[flags] NAME',
        summary: 'Have a directory go on that holds back: what is gone was meant to go',
        load: async () => (await import('./commands/dirs-confirm.js')).dirsConfirm,
      },
      {
        name: 'forget',
        usage: '[flags] MACHINE',
        summary: 'Take from all directories what a machine had in them that is gone',
        completes: 'lost-directory-host',
        load: async () => (await import('./commands/dirs-forget.js')).dirsForget,
      },
    ],
  },
  {
    name: 'list-machines',
    usage: '[flags] [ID...]',
    summary: 'Show the machines of the cluster',
    load: async () => (await import('./commands/list-machines.js')).listMachines,
  },
  {
    name: 'machine',
    usage: 'COMMAND',
    summary: 'Deal with single machines: metadata, limit, release, unfreeze',
    examples: [
      'fleetctl machine metadata set b1d7 role=db    give a machine metadata',
      'fleetctl machine limit b1d7 20                have it take 20 units at most',
      'fleetctl machine unfreeze --help',
    ],
    commands: [
      {
        name: 'metadata',
        usage: 'COMMAND',
        summary: "Change a machine's metadata: set, unset",
        examples: [
          'fleetctl machine metadata set b1d7 role=db    give a machine metadata',
          'fleetctl machine metadata unset b1d7 role     take it away',
        ],
        commands: [
          {
            name: 'set',
            usage: '[flags] MACHINE KEY=VALUE...',
            summary: 'Give a machine metadata',
            load: async () => (await import('./commands/machine-metadata-set.js')).machineMetadataSet,
          },
          {
            name: 'unset',
            usage: '[flags] MACHINE KEY...',
            summary: 'Take metadata away from a machine',
            load: async () => (await import('./commands/machine-metadata-unset.js')).machineMetadataUnset,
          },
        ],
      },
      {
        name: 'limit',
        usage: '[flags] MACHINE (N|none)',
        summary: 'Say how many units a machine takes',
        load: async () => (await import('./commands/machine-limit.js')).machineLimit,
      },
      {
        name: 'release',
        usage: '[flags] (ID...|--all)',
        summary: 'Have units placed elsewhere whose machines are gone and held back',
        load: async () => (await import('./commands/machine-release.js')).machineRelease,
      },
      {
        name: 'unfreeze',
        usage: '[flags] (ID...|--all) (--adopt|--discard)',
        summary: 'Let machines go on that do not trust the store',
        load: async () => (await import('./commands/machine-unfreeze.js')).machineUnfreeze,
      },
    ],
  },
  {
    name: 'settings',
    usage: 'COMMAND',
    summary: 'Show and change how the cluster places units: get, set, unset',
    examples: [
      'fleetctl settings get                    all of them, with what they mean',
      'fleetctl settings set strategy=binpack   fill machines one by one',
      'fleetctl settings unset strategy         back to the default',
    ],
    commands: [
      {
        name: 'get',
        usage: '[flags] [KEY...]',
        summary: 'Show the settings of the cluster',
        load: async () => (await import('./commands/settings-get.js')).settingsGet,
      },
      {
        name: 'set',
        usage: '[flags] KEY=VALUE...',
        summary: 'Change settings of the cluster',
        load: async () => (await import('./commands/settings-set.js')).settingsSet,
      },
      {
        name: 'unset',
        usage: '[flags] KEY...',
        summary: 'Go back to the defaults of settings',
        load: async () => (await import('./commands/settings-unset.js')).settingsUnset,
      },
    ],
  },
  {
    name: 'fd-forward',
    usage: '[flags] SOCKET',
    summary: 'Connect stdin and stdout with a unix socket',
    load: async () => (await import('./commands/fd-forward.js')).fdForward,
  },
  {
    name: 'completion',
    usage: 'SHELL',
    summary: 'Have a shell complete commands, flags and units: bash, zsh, fish',
    examples: [
      'fleetctl completion bash > /etc/bash_completion.d/fleetctl    for everybody',
      'source <(fleetctl completion bash)    in this shell; in ~/.bashrc, in all',
      'fleetctl completion fish > ~/.config/fish/completions/fleetctl.fish',
    ],
    commands: [
      ...(['bash', 'zsh', 'fish'] as const).map((shell) => ({
        name: shell,
        usage: '',
        summary: `Print a script for ${shell}`,
        load: async () => (await import('./commands/completion.js')).completion(shell),
      })),
      {
        name: 'words',
        usage: '-- WORD...',
        summary: 'Print what may stand in place of the last word of a line',
        isHidden: true,
        load: async () => (await import('./commands/completion-words.js')).completionWords,
      },
    ],
  },
  {
    name: 'verify',
    usage: '[flags] FILE...',
    summary: 'Check unit files, without a cluster',
    load: async () => (await import('./commands/verify.js')).verify,
  },
  {
    name: 'version',
    usage: '',
    summary: 'Print the version',
    load: async () => (await import('./commands/version.js')).versionCommand,
  },
];
