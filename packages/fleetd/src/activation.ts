/** The first descriptor that systemd passes. @see sd_listen_fds(3) */
const firstDescriptor = 3;

/**
 * The listening sockets that systemd passed to this process, as descriptors. Takes the variables out of the
 * environment, so that no child takes them for its own.
 */
export function takeInheritedSockets(environment: NodeJS.ProcessEnv, pid: number): number[] {
  const { LISTEN_PID: forPid, LISTEN_FDS: count } = environment;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete environment[name];
  if (Number(forPid) !== pid || !/^\d+$/.test(count ?? '')) return [];
  return Array.from({ length: Number(count) }, (_, index) => firstDescriptor + index);
}
