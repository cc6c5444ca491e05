import type { LeaderExplains, UnitExplanation, UnknownUnit } from '@flotilla/cluster';
import type { RegistryAccess, StoreInspector } from '@flotilla/registry';
import type { Clock } from '@flotilla/runtime';
import type { UnitName } from '@flotilla/unit';

/** Something that an operator should see to. */
export interface Alarm {
  /** For programs. */
  readonly code: string;
  /** What is wrong, where, and what to do about it. */
  readonly message: string;
}

/** One request that was answered. */
export interface AnsweredRequest {
  /** The path as the API knows it, `/fleet/v1/units/:name` for one; `undefined`: it knows no such path. */
  readonly route: string | undefined;
  readonly method: string;
  readonly status: number;
}

/** Who counts requests, and tells what is counted. */
export interface ApiMetrics {
  /** Called with each request; what it returns is called with the answer. Neither may throw. */
  begin(): (answered: AnsweredRequest) => void;
  /** What `GET /metrics` answers: Prometheus text, from memory. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** What the API needs from the daemon. */
export interface ApiDeps extends RegistryAccess {
  readonly clock: Clock;
  /** fleetd's version, for the `Server` header. */
  readonly version: string;
  /** fleet's `token_limit`: entries on a page, 1 to 65,535. */
  readonly pageLimit: number;
  /** Names of this machine that clients may use as Host over TCP, besides addresses and `localhost`. */
  readonly hostNames: readonly string[];
  /** Whether this fleetd is registered and reaches the store; asked for every request, so from memory. */
  readonly isReady: () => boolean;
  /** How this fleetd fares, in a few words for `/readyz`. @default nothing */
  readonly describeStatus?: () => string;
  /** Of the same store. */
  readonly inspector: StoreInspector;
  /** What there is to be seen to at this fleetd itself; asked for every list of machines. @default nothing */
  readonly ownAlarms?: () => readonly Alarm[];
  /** @default nobody counts, and `/metrics` is a 404 */
  readonly metrics?: ApiMetrics;
  /** Why a unit is where it is: every machine with every rule. Rejects as the store does. @default 501 */
  readonly explain?: (name: UnitName) => Promise<UnitExplanation | UnknownUnit | LeaderExplains>;
}
