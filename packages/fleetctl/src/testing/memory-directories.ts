import type {
  DirectoryDetailEntity,
  DirectoryHostEntity,
  DirectoryUnitEntity,
  ForgetDirectoriesRequest,
  ForgottenDirectoryEntity,
} from '@flotilla/schema';

/** A host that has nothing to complain of. */
export function quietHost(
  claimant: string,
  more: Partial<DirectoryHostEntity> & { readonly units: number },
): DirectoryHostEntity {
  return {
    claimant,
    conflictCount: more.conflicts?.length ?? 0,
    conflicts: [],
    isThere: true,
    path: '/etc/fleet/units',
    problemCount: more.problems?.length ?? 0,
    problems: [],
    ...more,
  };
}

/** What the API calls `fleetctl apply`, among hosts. */
const applyClaimant = 'apply';

/** The directories of an API in memory, as a test lays them out. */
export class MemoryDirectories {
  /** By name. */
  readonly directories: (DirectoryDetailEntity & { hosts: readonly DirectoryHostEntity[] })[] = [];
  /** What was asked for, like `confirm local`. */
  readonly orders: string[] = [];
  /** Looks at the directories until hosts have done what was confirmed; without it, they never do. */
  delay: number | undefined = 2;
  /** What hosts hold back after that. */
  heldThen: DirectoryHostEntity['held'];
  #readsLeft: number | undefined;

  /** A directory with these hosts, and of its units the claimants; behind if they end in `!`. */
  add(
    name: string,
    hosts: readonly DirectoryHostEntity[],
    units: Readonly<Record<string, readonly string[]>> = {},
  ): void {
    const unitList = Object.entries(units).map(
      ([unit, claimants]): DirectoryUnitEntity => ({
        name: unit,
        claimants: claimants.map((claimant) => ({
          claimant: claimant.replace('!', ''),
          ...(claimant.endsWith('!') && { isBehind: true }),
          source: unit,
        })),
      }),
    );
    this.directories.push({ name, hosts, unitList });
  }

  /** `apply` wants a unit on an owner's behalf. */
  hold(owner: string, unit: string): void {
    const known = this.directories.find(({ name }) => name === owner);
    const claimants = known?.unitList.find(({ name }) => name === unit)?.claimants ?? [];
    const hosts = claimants.map(({ claimant }) => claimant);
    if (!hosts.includes(applyClaimant)) this.claim(owner, unit, [...hosts, applyClaimant]);
  }

  /** It wants it no longer. @returns Whether nobody else does. */
  drop(owner: string, unit: string): boolean {
    const known = this.directories.find(({ name }) => name === owner);
    const claimants = known?.unitList.find(({ name }) => name === unit)?.claimants ?? [];
    const hosts = claimants.map(({ claimant }) => claimant).filter((host) => host !== applyClaimant);
    this.claim(owner, unit, hosts);
    return hosts.length === 0;
  }

  /** Says who has a unit, and no one else. */
  claim(owner: string, unit: string, hosts: readonly string[]): void {
    const index = this.directories.findIndex(({ name }) => name === owner);
    const { hosts: rows = [], unitList = [] } = this.directories[index] ?? {};
    const others = unitList.filter(({ name }) => name !== unit);
    const claimants = hosts.map((claimant) => ({ claimant, source: unit }));
    const directory = { name: owner, hosts: rows, unitList: [...others, { name: unit, claimants }] };
    if (index < 0) this.directories.push(directory);
    else this.directories[index] = directory;
  }

  /** Without, a server is older than owners are. */
  isKnown = true;

  answer(method: string, name: string | undefined, order: string | undefined): [number, object] {
    if (this.#readsLeft !== undefined && method === 'GET' && this.#readsLeft-- <= 0) this.#obey();
    if (!this.isKnown) return [404, {}];
    // Whoever knows owners answers so.
    if (method === 'GET' && order !== undefined) return refusal(405, 'only POST supported against this resource');
    if (name === undefined)
      return [200, { directories: this.directories.map(({ unitList: _, ...directory }) => directory) }];
    const directory = this.directories.find((each) => each.name === name);
    if (directory === undefined) return refusal(404, 'directory does not exist');
    if (order === undefined) return [200, directory];
    const held = directory.hosts.filter((host) => host.held !== undefined).map(({ claimant }) => claimant);
    if (held.length === 0) return refusal(409, 'nothing is held back');
    this.orders.push(`confirm ${name}`);
    this.#readsLeft = this.delay;
    return [200, { hosts: held }];
  }

  forget(machineID: string, { dryRun = false }: ForgetDirectoriesRequest): [number, object] {
    const own = this.directories.filter(({ hosts }) => hosts.some(({ claimant }) => claimant === machineID));
    if (own.length === 0) return refusal(404, 'machine has no directory');
    if (own.some(({ hosts }) => hosts.some((host) => host.claimant === machineID && host.isLost !== true)))
      return refusal(409, 'machine is in the cluster');
    this.orders.push(`forget ${machineID}${dryRun ? ' dry' : ''}`);
    const directories = own.map(({ name, unitList }): ForgottenDirectoryEntity => {
      const units = unitList.filter(({ claimants }) => claimants.some(({ claimant }) => claimant === machineID));
      const destroyed = units.filter(({ claimants }) => claimants.length === 1).map((unit) => unit.name);
      return { name, destroyed, kept: units.length - destroyed.length };
    });
    return [200, { directories }];
  }

  #obey(): void {
    this.#readsLeft = undefined;
    for (const [index, directory] of this.directories.entries()) {
      const hosts = directory.hosts.map((host) => {
        const { held, ...rest } = host;
        if (host.isLost === true) return host;
        return { ...rest, ...(this.heldThen !== undefined && { held: this.heldThen }) };
      });
      this.directories[index] = { ...directory, hosts };
    }
  }
}

function refusal(code: number, message: string): [number, object] {
  return [code, { error: { code, message } }];
}
