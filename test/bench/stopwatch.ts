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

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = systemClock.monotonicMs();
  await work();
  return systemClock.monotonicMs() - startMs;
}

/** The same for what does not wait for anything, with its result. */
export function clocked<T>(work: () => T): { readonly ms: number; readonly result: T } {
  const startMs = systemClock.monotonicMs();
  const result = work();
  return { ms: systemClock.monotonicMs() - startMs, result };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** The value that so many of a hundred do not exceed: of few values, the 99th percentile is the largest. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

/** The median, and from what to what the values go. */
export function shown(values: readonly number[]): string {
  const ms = (value: number) => `${Math.round(value)} ms`;
  return `${ms(median(values))} (${ms(Math.min(...values))} - ${ms(Math.max(...values))})`;
}
