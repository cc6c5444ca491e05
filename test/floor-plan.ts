/** What a package may import besides `errors`, and the libraries whose only home it is. */
export interface Floor {
  readonly packages: readonly string[];
  readonly libraries: readonly string[];
}

/** The floor plan: every package, from the ground up. Whoever adds an import that is not here has a decision to make. */
export const floorPlan: Readonly<Record<string, Floor>> = {
  errors: { packages: [], libraries: [] },
  unit: { packages: [], libraries: [] },
  runtime: { packages: [], libraries: ['pino'] },
  folder: { packages: ['unit'], libraries: [] },
  cluster: { packages: ['unit'], libraries: [] },
  schema: { packages: ['cluster', 'unit'], libraries: ['zod'] },
  registry: { packages: ['cluster', 'unit', 'runtime'], libraries: [] },
  systemd: { packages: ['unit', 'runtime'], libraries: ['dbus-native'] },
  directories: { packages: ['registry', 'folder', 'cluster', 'unit', 'runtime'], libraries: [] },
  'local-etcd': { packages: ['systemd', 'runtime'], libraries: [] },
  'registry-etcd': {
    packages: ['registry', 'cluster', 'unit', 'runtime'],
    libraries: ['etcd3', '@grpc/grpc-js', 'cockatiel'],
  },
  engine: { packages: ['registry', 'cluster', 'unit', 'runtime'], libraries: [] },
  agent: { packages: ['registry', 'systemd', 'cluster', 'unit', 'runtime'], libraries: [] },
  api: { packages: ['schema', 'registry', 'cluster', 'unit', 'runtime'], libraries: ['find-my-way'] },
  client: { packages: ['schema'], libraries: [] },
  fleetd: {
    packages: [
      'unit',
      'runtime',
      'cluster',
      'schema',
      'registry',
      'systemd',
      'directories',
      'local-etcd',
      'registry-etcd',
      'engine',
      'agent',
      'api',
    ],
    libraries: ['yargs', 'ini', 'prom-client'],
  },
  fleetctl: {
    packages: ['client', 'schema', 'folder', 'unit', 'runtime'],
    libraries: ['commander', 'diff', 'picocolors', 'yaml'],
  },
};

/** For tests only, in every package. */
export const testLibraries: readonly string[] = ['fast-check'];

/** Where time and chance may come from; everything else asks `Clock`. */
export const homeOfTime = 'packages/runtime/src/';

export const longestFile = 300;
export const longestTest = 400;

/** Names that say nothing about what is inside. `unit-manager` is systemd's own word. */
export const bannedWords: readonly string[] = [
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'misc',
  'types',
  'manager',
  'service',
  'data',
  'info',
  'base',
  'impl',
];
