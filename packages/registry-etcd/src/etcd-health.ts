import {
  type AnsweringMember,
  type MemberHealth,
  type RaisedAlarm,
  StoreError,
  type StoreHealth,
  slowCommitMs,
} from '@flotilla/registry';
import type { Etcd3, IStatusResponse } from 'etcd3';
import type { EtcdConnection } from './connection.js';
import { EtcdQuota } from './etcd-quota.js';

/** One slow write is an accident, so a slow one is tried again, so often in all, and no more after this time. */
const commitTries = 3;
const commitPatienceMs = 1_500;

/** Without the demand for a leader that all other calls make: whether there is one is in the answer. */
const askStatus = (client: Etcd3) => client.maintenance.status({ interceptors: [] });

/**
 * Reads how the members of an etcd are. A member's Status says it all but the quota: version, sizes, leader, and the
 * alarms of all members. It is answered from memory by whoever is asked, and needs no permission. Whether disks are
 * slow is measured: etcd takes a query for alarms through its log, synced to the disks of most members like a write,
 * without storing anything or needing room. Its own histograms (`etcd_disk_wal_fsync_duration_seconds`) are no better
 * a source: they may be out of reach, and tell of now only to who has looked a while ago, and only if there were writes.
 */
export class EtcdHealth {
  readonly #connection: EtcdConnection;
  readonly #quotas: ReadonlyMap<string, EtcdQuota>;

  constructor(connection: EtcdConnection) {
    this.#connection = connection;
    const { clock, hosts, requestTimeoutMs: patienceMs } = connection;
    const tls = () => connection.tls;
    this.#quotas = new Map(hosts.map((host) => [host, new EtcdQuota({ host, tls, clock, patienceMs })]));
  }

  /** @throws StoreError if the connection is closed. */
  async read(): Promise<StoreHealth> {
    if (this.#connection.isClosed) throw new StoreError('unavailable', 'the store is closed');
    const members = await Promise.all(this.#connection.hosts.map((host) => this.#readMember(host)));
    const sound = members.find((member) => member.kind === 'answering' && member.hasLeader);
    return { members, commitMs: sound === undefined ? undefined : await this.#measureCommit(sound.address) };
  }

  async #readMember(address: string): Promise<MemberHealth> {
    try {
      const [status, quotaBytes] = await Promise.all([
        this.#connection.askHost(address, askStatus),
        this.#quotas.get(address)?.find(),
      ]);
      return toMember({ address, status, quotaBytes });
    } catch (error) {
      return { kind: 'silent', address, why: error instanceof Error ? error.message : String(error) };
    }
  }

  /**
   * By how much the quickest of a few writes is slower than the quickest answer. One of each if the write is quick; not
   * pair by pair, as etcd also answers late now and then while its disk is slow.
   */
  async #measureCommit(address: string): Promise<number | undefined> {
    const { clock } = this.#connection;
    const lateMs = clock.monotonicMs() + commitPatienceMs;
    let [answerMs, writeMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let tries = 0; tries < commitTries && clock.monotonicMs() < lateMs; tries++) {
      const answeredMs = await this.#time(address, askStatus);
      const writtenMs = await this.#time(address, (client) => client.maintenance.alarm({}));
      if (answeredMs === undefined || writtenMs === undefined) return undefined;
      answerMs = Math.min(answerMs, answeredMs);
      writeMs = Math.min(writeMs, writtenMs);
      if (writeMs <= slowCommitMs) break;
    }
    return Math.max(0, writeMs - answerMs);
  }

  /** How long a call takes, to its deadline if there is no answer; `undefined` if it is turned down. */
  async #time(host: string, call: Parameters<EtcdConnection['askHost']>[1]): Promise<number | undefined> {
    const { clock } = this.#connection;
    const startedMs = clock.monotonicMs();
    try {
      await this.#connection.askHost(host, call);
    } catch (error) {
      if (error instanceof StoreError && error.kind === 'refused') return undefined;
    }
    return clock.monotonicMs() - startedMs;
  }
}

interface MemberAnswer {
  readonly address: string;
  readonly status: IStatusResponse;
  readonly quotaBytes: number | undefined;
}

function toMember({ address, status, quotaBytes }: MemberAnswer): AnsweringMember {
  return {
    kind: 'answering',
    address,
    id: BigInt(status.header.member_id).toString(16),
    version: status.version,
    hasLeader: status.leader !== '0',
    sizeBytes: Number(status.dbSize),
    inUseBytes: Number(status.dbSizeInUse),
    quotaBytes,
    raised: status.errors.flatMap((text) => findAlarm(text) ?? []),
  };
}

/** One of a Status's `errors`; those that are no alarms show elsewhere. */
function findAlarm(text: string): RaisedAlarm | undefined {
  const [, id = '', name] = /^memberID:(\d+) alarm:(NOSPACE|CORRUPT)\b/.exec(text) ?? [];
  if (name === undefined) return undefined;
  return { kind: name === 'NOSPACE' ? 'no-space' : 'corrupt', member: BigInt(id).toString(16) };
}
