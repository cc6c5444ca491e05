import { readdir } from 'node:fs/promises';
import { version } from '@flotilla/errors';
import { type Figure, gauge } from './figure.js';
import type { Tally } from './tally.js';

/** What this process takes, under the names that are usual. Nothing runs for it between two who ask. */
export async function processFigures(nowMs: number): Promise<Figure[]> {
  const { user, system } = process.cpuUsage();
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
  const descriptors = await readdir('/proc/self/fd').catch(() => []);
  return [
    seconds('process_cpu_user_seconds_total', 'Processor time spent in this process', user / 1e6),
    seconds('process_cpu_system_seconds_total', 'Processor time spent in the kernel for it', system / 1e6),
    seconds('process_cpu_seconds_total', 'Processor time, both', (user + system) / 1e6),
    gauge('process_start_time_seconds', 'When it was started, in seconds since 1970', nowMs / 1000 - process.uptime()),
    gauge('process_resident_memory_bytes', 'Memory that it has in use, shared parts included', rss),
    gauge('process_open_fds', 'Open file descriptors', descriptors.length),
    gauge('nodejs_heap_size_total_bytes', 'Memory that its heap takes', heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'What of that is in use', heapUsed),
    gauge('nodejs_external_memory_bytes', 'Memory that its objects have outside of the heap', external),
    gauge('nodejs_version_info', 'Version of Node.js', [{ labels: { version: process.version }, value: 1 }]),
    gauge('fleet_build_info', 'Version of fleetd', [{ labels: { version }, value: 1 }]),
  ];
}

function seconds(name: string, help: string, value: number): Figure {
  const samples: Tally['samples'] = [{ labels: {}, value }];
  return { kind: 'counter', name, help, samples };
}
