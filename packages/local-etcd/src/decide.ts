import { assertNever } from '@flotilla/errors';

/** Something that takes connections where an etcd is looked for. */
export interface Listener {
  /** `http://host:port` */
  readonly at: string;
  /** The user that it belongs to, if that can be told. */
  readonly uid: number | undefined;
}

/** Below are root and the users that packages and administrators make for services. @see login.defs(5), UID_MIN */
const firstOrdinaryUid = 1000;

/**
 * Whether a listener that nobody has configured may be taken for an etcd: what it says is run as the user of fleetd, so
 * it has to be that user's, or belong to the host.
 */
export function isTrusted({ uid }: Listener, ownUid: number | undefined): boolean {
  return uid !== undefined && (uid < firstOrdinaryUid || uid === ownUid);
}

export function explainStranger({ uid }: Listener): string {
  return uid === undefined ? 'it can not be told whose it is' : `it belongs to user ${uid}`;
}

/** What is known when it is to be decided whether this host brings up an etcd of its own. */
export interface Facts {
  /** The configuration speaks of an etcd. */
  readonly isTold: boolean;
  /** Option `embedded_etcd`. */
  readonly mode: 'auto' | 'never';
  /** The host's own etcd is the store that it uses. */
  readonly isInUse: boolean;
  /** What listens where an etcd is looked for. */
  readonly listeners: readonly Listener[];
  /** The user that fleetd runs as. */
  readonly ownUid: number | undefined;
  /** Nothing answered for long enough. */
  readonly hasListened: boolean;
  /** What the state directory remembers of a store, in words. */
  readonly remembered: string | undefined;
  /** Data of an own etcd that is no longer in use. */
  readonly hasOldData: boolean;
  /** An etcd that systemd starts on this host. */
  readonly enabledUnit: string | undefined;
  /** The etcd program's path. */
  readonly program: string | undefined;
  /** The kernel takes the path of the socket. */
  readonly isPathShort: boolean;
}

export type Refusal =
  | { readonly kind: 'never' }
  | { readonly kind: 'other-store'; readonly remembered: string }
  | { readonly kind: 'old-data' }
  | { readonly kind: 'enabled-unit'; readonly unit: string }
  | { readonly kind: 'no-program' }
  | { readonly kind: 'long-path' };

export type Decision =
  /** Use the etcd that the configuration names. */
  | { readonly kind: 'told' }
  /** Use what answers at the default address. */
  | { readonly kind: 'answered'; readonly at: string }
  /** Nothing speaks against an own etcd, if the host stays silent: listen, and decide again. */
  | { readonly kind: 'listen' }
  | { readonly kind: 'start'; readonly program: string; readonly why: 'in-use' | 'silent' }
  /** No etcd answers, and none is brought up. */
  | { readonly kind: 'refuse'; readonly because: Refusal };

/**
 * Whether a host brings up an etcd of its own. Whoever may have a store already gets no second one: a new, empty store
 * beside the real one would split the cluster.
 */
export function decide(facts: Facts): Decision {
  const { isTold, mode, isInUse, listeners, ownUid, hasListened, program } = facts;
  if (isTold) return { kind: 'told' };
  if (isInUse && mode !== 'never') {
    return program === undefined ? refuse({ kind: 'no-program' }) : { kind: 'start', program, why: 'in-use' };
  }
  const answering = listeners.find((listener) => isTrusted(listener, ownUid));
  if (answering !== undefined) return { kind: 'answered', at: answering.at };
  const refusal = findRefusal(facts);
  if (refusal !== undefined) return refuse(refusal);
  if (program === undefined) return refuse({ kind: 'no-program' });
  return hasListened ? { kind: 'start', program, why: 'silent' } : { kind: 'listen' };
}

function findRefusal({ mode, remembered, hasOldData, enabledUnit, isPathShort }: Facts): Refusal | undefined {
  if (mode === 'never') return { kind: 'never' };
  if (remembered !== undefined) return { kind: 'other-store', remembered };
  if (hasOldData) return { kind: 'old-data' };
  if (enabledUnit !== undefined) return { kind: 'enabled-unit', unit: enabledUnit };
  if (!isPathShort) return { kind: 'long-path' };
  return undefined;
}

function refuse(because: Refusal): Decision {
  return { kind: 'refuse', because };
}

export interface Explanation {
  /** Ends the sentence "not starting an etcd, because". */
  readonly because: string;
  /** What the operator can do. */
  readonly hint: string;
}

/** A refusal in words. `directory` is where the host's own etcd lives. */
export function explainRefusal(because: Refusal, directory: string): Explanation {
  const goBack = `set etcd_servers to the store; for one of this host's own: mkdir -p ${directory}; touch ${directory}/in-use`;
  switch (because.kind) {
    case 'never':
      return { because: 'embedded_etcd is never', hint: 'set etcd_servers' };
    case 'other-store':
      return { because: `this machine has another store already: ${because.remembered}`, hint: goBack };
    case 'old-data':
      return {
        because: `${directory} holds a store that is no longer in use`,
        hint: `${goBack}; to begin anew, remove ${directory}`,
      };
    case 'enabled-unit':
      return {
        because: `${because.unit} is enabled here`,
        hint: `systemctl start ${because.unit}, or, for one of fleetd's own, systemctl disable ${because.unit} and restart fleetd`,
      };
    case 'no-program':
      return {
        because: 'the program etcd is not installed',
        hint: 'apt install etcd-server, systemctl disable --now etcd, and restart fleetd; or set etcd_servers',
      };
    case 'long-path':
      return {
        because: `the path ${directory} is too long for a socket in it`,
        hint: 'set state_directory to a shorter one',
      };
    default:
      return assertNever(because);
  }
}
