import type { WatchedDirectory } from '@flotilla/directories';
import type { ListenAddress } from './listen-addresses.js';

/** What fleetd runs with: everything set, checked, and in one unit. Made by `compileConfig`; never changed. */
export interface Config {
  readonly logLevel: 'info' | 'debug';
  readonly etcd: {
    readonly servers: readonly string[];
    readonly username: string;
    readonly password: string;
    /** Empty paths: not given. */
    readonly keyFile: string;
    readonly certFile: string;
    readonly caFile: string;
    /** Begins and ends with a slash. */
    readonly keyPrefix: string;
    readonly requestTimeoutMs: number;
    /** Some option speaks of an etcd; else `servers` are only where one is looked for. */
    readonly isTold: boolean;
  };
  readonly embeddedEtcd: 'auto' | 'never';
  readonly leaderTtlSeconds: number;
  /** Empty: to be found. */
  readonly publicIp: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** How many units this machine takes; `undefined`: it has no limit of its own. */
  readonly maxUnits: number | undefined;
  readonly agentTtlSeconds: number;
  /** `undefined`: what `agentTtlSeconds` says. */
  readonly lossGraceMs: number | undefined;
  /** Where the API is served besides the sockets that were passed, `insecure_listen` included; each address once. */
  readonly listen: readonly ListenAddress[];
  /** Entries on a page of the API. */
  readonly tokenLimit: number;
  /** Watched: their unit files are units of the cluster. */
  readonly unitDirectories: readonly WatchedDirectory[];
  readonly unitsDirectory: string;
  readonly stateDirectory: string;
  readonly isUserManager: boolean;
  readonly hasEngine: boolean;
  readonly hasAgent: boolean;
  readonly onStop: 'auto' | 'leave' | 'stay';
  readonly leaveTimeoutMs: number;
}
