import type { TestHost } from '../lab/index.js';

/** Processor time of a process and of its children that have ended, in the kernel's ticks. @see proc(5) */
export interface CpuTicks {
  readonly own: number;
  readonly children: number;
}

/** USER_HZ: what /proc counts in on Linux, whatever the kernel's own is. */
const tickMs = 10;

export async function readCpu(host: TestHost, pid: string): Promise<CpuTicks> {
  const stat = await host.mustExec(['cat', `/proc/${pid}/stat`]);
  // The name, in parentheses, may hold anything; the third field follows it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return { own: field(14) + field(15), children: field(16) + field(17) };
}

/** In percent of one core. */
export function percent(
  before: CpuTicks | undefined,
  after: CpuTicks | undefined,
  ms: number,
): { readonly own: string; readonly children: string } {
  const share = (of: 'own' | 'children') => {
    const ticks = (after?.[of] ?? 0) - (before?.[of] ?? 0);
    return `${((100 * ticks * tickMs) / ms).toFixed(2)} %`;
  };
  return { own: share('own'), children: share('children') };
}

export interface ProcessMemory {
  readonly rssMb: number;
  readonly pssMb: number;
  readonly anonMb: number;
  readonly fileMb: number;
  readonly peakMb: number;
}

export async function readMemory(host: TestHost, pid: string): Promise<ProcessMemory> {
  const status = await host.mustExec(['cat', `/proc/${pid}/status`, `/proc/${pid}/smaps_rollup`]);
  const mb = (name: string) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024);
  return { rssMb: mb('VmRSS'), pssMb: mb('Pss'), anonMb: mb('RssAnon'), fileMb: mb('RssFile'), peakMb: mb('VmHWM') };
}
