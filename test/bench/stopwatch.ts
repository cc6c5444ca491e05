import { systemClock } from '@flotilla/runtime';
import type { TestEtcd } from '../etcd/etcd.js';

export interface Measurement {
  readonly ms: number;
  /** Processor time of this process and of etcd. */
  readonly nodeCpuMs: number;
  readonly etcdCpuMs: number;
}

/** Runs `work` and measures it. */
export async function measure(etcd: TestEtcd, work: () => Promise<unknown>): Promise<Measurement> {
  const before = { ms: systemClock.monotonicMs(), node: process.cpuUsage(), etcd: etcd.cpuMs() };
  await work();
  const ms = systemClock.monotonicMs() - before.ms;
  const { user, system } = process.cpuUsage(before.node);
  return { ms, nodeCpuMs: (user + system) / 1000, etcdCpuMs: etcd.cpuMs() - before.etcd };
}

/** Runs jobs, so many at a time, in order of their start. */
export async function inFlight(limit: number, jobs: Iterable<() => Promise<unknown>>): Promise<void> {
  const iterator = jobs[Symbol.iterator]();
  const work = async () => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await next.value();
  };
  await Promise.all(Array.from({ length: limit }, work));
}

export function perSecond(count: number, ms: number): string {
  return `${number((count * 1000) / ms)}/s`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export function number(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Processor time for each of `count` things. */
export function cpu({ nodeCpuMs, etcdCpuMs }: Measurement, count: number): string {
  const each = (ms: number) => `${((ms * 1000) / count).toFixed(0)} us`;
  return `${each(nodeCpuMs)} node + ${each(etcdCpuMs)} etcd`;
}
