import type { StoreError } from '@flotilla/registry';
import type { Clock } from '@flotilla/runtime';

/** What keeps a client from etcd. For people; programs go by the kind of the `StoreError`. */
export type StoreTroubleKind =
  | 'unreachable'
  /** What listens there belongs to somebody who must not be the store. */
  | 'stranger'
  | 'no-answer'
  | 'no-leader'
  /** etcd's certificate: of no known authority, out of its time, or for another name. */
  | 'untrusted-server'
  | 'expired-server'
  | 'misnamed-server'
  /** etcd turns the client's certificate down, or wants one. */
  | 'certificate-refused'
  /** `https`, and the other side does not speak TLS; `http`, and it hangs up. */
  | 'plain-server'
  | 'hung-up'
  | 'password-refused'
  | 'user-expected'
  | 'users-unknown'
  | 'no-permission';

export type StoreOperation = 'read' | 'write' | 'stream';

export interface StoreTrouble {
  readonly kind: StoreTroubleKind;
  /** The host that was asked last. */
  readonly host: string;
  readonly operation: StoreOperation;
  /** In the words of etcd or of the network. */
  readonly why: string;
}

/** Neither etcd nor grpc-js has codes for these; the texts are those of etcd 3.4 to 3.6, Node's TLS and OpenSSL. */
const texts: readonly (readonly [StoreTroubleKind, RegExp])[] = [
  ['stranger', /belongs to user/],
  ['untrusted-server', /unable to verify|self.signed certificate|unable to get (local )?issuer/],
  ['expired-server', /certificate has expired|certificate is not yet valid/],
  ['misnamed-server', /does not match certificate's altnames/],
  ['certificate-refused', /alert (bad certificate|certificate|unknown|expired|unsupported|handshake failure)/],
  ['plain-server', /before secure TLS connection was established|wrong version number/],
  ['hung-up', /Failed to connect|it hung up/],
  ['password-refused', /invalid user ID or password/],
  ['user-expected', /user name is empty/],
  ['users-unknown', /authentication is not enabled/],
  ['no-permission', /permission denied/],
  ['no-leader', /etcdserver: (no leader|leader changed|request timed out)/],
  ['no-answer', /Deadline exceeded|in time/],
];

/** `undefined`: etcd was reached and did its duty. */
export function findTroubleKind({ kind, message }: StoreError, host = ''): StoreTroubleKind | undefined {
  const found = texts.find(([, text]) => text.test(message))?.[0];
  // In TLS 1.3 a server turns a certificate down when its client takes the handshake for done.
  if (found === 'hung-up' && host.startsWith('https://')) return 'certificate-refused';
  return kind === 'unavailable' || kind === 'uncertain' ? (found ?? 'unreachable') : found;
}

/** What the network says when it has not heard why: the next attempt mostly does. */
const vague = /it hung up|ECONNRESET|socket hang up/;

/** So many failures in a row without a reason are told all the same. */
const vagueFailures = 3;

/** A client that may read one key and not another would come and go with each call. */
const permissionQuietMs = 60_000;

/** Tells of an outage once for each reason that it has, and of its end. */
export class TroubleReport {
  readonly #tell: (trouble: StoreTrouble | undefined) => void;
  readonly #clock: Clock;
  readonly #told = new Set<StoreTroubleKind>();
  /** What is wrong: with the contact, or with one kind of operation. */
  readonly #open = new Set<StoreOperation | 'contact'>();
  #vague = 0;
  #permissionToldMs = Number.NEGATIVE_INFINITY;

  constructor(tell: (trouble: StoreTrouble | undefined) => void, clock: Clock) {
    this.#tell = tell;
    this.#clock = clock;
  }

  failed(trouble: StoreTrouble): void {
    const { kind, operation } = trouble;
    this.#open.add(kind === 'no-permission' ? operation : 'contact');
    if (this.#told.has(kind)) return;
    if (vague.test(trouble.why) && (this.#told.size > 0 || ++this.#vague < vagueFailures)) return;
    if (kind === 'no-permission') {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs < this.#permissionToldMs + permissionQuietMs) return;
      this.#permissionToldMs = nowMs;
    }
    this.#told.add(kind);
    this.#tell(trouble);
  }

  succeeded(operation: StoreOperation): void {
    const toldBefore = this.#told.size;
    if (this.#open.delete('contact')) {
      this.#vague = 0;
      for (const kind of this.#told) if (kind !== 'no-permission') this.#told.delete(kind);
    }
    this.#open.delete(operation);
    if (this.#open.size === 0) this.#told.clear();
    if (this.#told.size < toldBefore) this.#tell(undefined);
  }
}
