import { sleep, systemClock } from '@flotilla/runtime';
import { findLeader, type Lab, type TestHost, waitUntil } from '../lab/index.js';
import type { Outage } from './explain.js';
import type { Fault } from './fault-plan.js';
import { Members } from './members.js';
import type { PowerCut } from './runs.js';

export interface Kill {
  readonly unit: string;
  readonly host: string;
  readonly atMs: number;
}

/** A call to a host that systemd may not answer for a while. */
const execMs = 20_000;

/** Does harm, and remembers which. */
export class FaultInjector {
  readonly outages: Outage[] = [];
  readonly powerCuts: PowerCut[] = [];
  readonly kills: Kill[] = [];
  /** Times at which fleetd was killed, by host. */
  readonly fleetdKills: { readonly host: string; readonly atMs: number }[] = [];
  readonly #lab: Lab;
  readonly #say: (line: string) => void;
  readonly #members: Members;
  /** What is done to a host's power goes one after the other. */
  readonly #power = new Map<string, Promise<void>>();

  constructor(lab: Lab, say: (line: string) => void) {
    this.#lab = lab;
    this.#say = say;
    this.#members = new Members(lab, this.outages);
  }

  /** Brings about a fault, and ends it. Never rejects because it can't: says so. @returns Whether it could. */
  async inject(fault: Fault): Promise<boolean> {
    const { kind, target, forMs } = fault;
    const lasts = forMs > 0 ? ` for ${(forMs / 1_000).toFixed(1)} s` : '';
    try {
      const done = await this.#harm(fault);
      this.#say(`fault ${kind} ${done.target}${lasts}`);
      if (done.end === undefined) return true;
      await sleep(systemClock, forMs);
      await done.end();
      this.#say(`over  ${kind} ${done.target}`);
      return true;
    } catch (error) {
      this.#say(`none  ${kind} ${target}: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
      return false;
    }
  }

  async #harm(fault: Fault): Promise<{ readonly target: string; readonly end?: () => Promise<void> }> {
    const { kind, target } = fault;
    switch (kind) {
      case 'member-kill':
      case 'member-freeze':
      case 'member-cut':
      case 'member-part':
        return { target, end: await this.#members.harm(target, kind) };
      case 'store-stop':
        return { target, end: await this.#members.stopAll() };
      case 'unit-kill':
        return { target: await this.#killUnit(target) };
      default: {
        const host = await this.#hostOf(target);
        const end = await this.#harmHost(host, fault);
        return { target: host.name, ...(end === undefined ? {} : { end }) };
      }
    }
  }

  async #hostOf(target: string): Promise<TestHost> {
    const host =
      target === 'leader' ? (await findLeader(this.#lab))?.host : this.#lab.hosts.find(({ name }) => name === target);
    if (host === undefined) throw new Error('there is no such host');
    return host;
  }

  async #harmHost(host: TestHost, { kind }: Fault): Promise<(() => Promise<void>) | undefined> {
    const exec = async (...argv: string[]): Promise<void> => {
      await host.mustExec(argv, { timeoutMs: execMs });
    };
    const signal = (name: string) => exec('systemctl', 'kill', '--kill-whom=main', `--signal=${name}`, 'fleet.service');
    switch (kind) {
      case 'fleetd-kill': {
        this.fleetdKills.push({ host: host.name, atMs: systemClock.now() });
        const before = await fleetdPid(host);
        return this.#out(host, kind, { begin: () => signal('SIGKILL'), end: () => untilAnotherFleetd(host, before) });
      }
      case 'fleetd-restart': {
        const begin = () => exec('systemctl', 'restart', '--no-block', 'fleet.service');
        const before = await fleetdPid(host);
        return this.#out(host, kind, { begin, end: () => untilAnotherFleetd(host, before) });
      }
      case 'dbus-kill':
        await exec('systemctl', 'kill', '--signal=SIGKILL', 'dbus.service');
        return undefined;
      case 'daemon-reexec':
      case 'daemon-reload':
        await exec('systemctl', kind);
        return undefined;
      case 'fleetd-freeze':
        return this.#out(host, kind, { begin: () => signal('SIGSTOP'), end: () => signal('SIGCONT') });
      case 'network-cut':
      case 'network-silence':
      case 'network-refusal': {
        const how = ({ 'network-cut': 'cable', 'network-silence': 'silence', 'network-refusal': 'refusal' } as const)[
          kind
        ];
        return this.#out(host, kind, { begin: () => host.cutNetwork(how), end: () => host.healNetwork() });
      }
      case 'leave': {
        const units = ['fleet.socket', 'fleet.service'];
        const begin = () => exec('systemctl', 'stop', ...units);
        return this.#down(host, kind, { begin, end: () => exec('systemctl', 'start', ...units) });
      }
      case 'power-cut':
        return this.#down(host, kind, {
          begin: () => this.#powerOf(host, () => this.#cutPower(host)),
          end: () => this.#powerOf(host, () => host.boot()),
        });
      case 'power-off':
        return this.#down(host, kind, {
          begin: () => this.#powerOf(host, () => host.powerOff()),
          end: () => this.#powerOf(host, () => host.boot()),
        });
      default:
        throw new Error(`${kind} is nothing that can be done to a host`);
    }
  }

  async #cutPower(host: TestHost): Promise<void> {
    if (!host.isUp) throw new Error('it is off');
    await host.powerCut();
    this.powerCuts.push({ host: host.name, atMs: systemClock.now() });
  }

  async #powerOf(host: TestHost, act: () => Promise<void>): Promise<void> {
    const done = (this.#power.get(host.name) ?? Promise.resolve()).then(act);
    this.#power.set(
      host.name,
      done.catch(() => undefined),
    );
    await done;
  }

  #out(host: TestHost, what: string, spell: Spell): Promise<() => Promise<void>> {
    return this.#during({ host: host.name, kind: 'out', what }, spell);
  }

  #down(host: TestHost, what: string, spell: Spell): Promise<() => Promise<void>> {
    return this.#during({ host: host.name, kind: 'down', what }, spell);
  }

  async #during(outage: Omit<Outage, 'fromMs' | 'toMs'>, { begin, end }: Spell): Promise<() => Promise<void>> {
    const fromMs = systemClock.now();
    const at = this.outages.push({ ...outage, fromMs, toMs: undefined }) - 1;
    const close = () => this.outages.splice(at, 1, { ...outage, fromMs, toMs: systemClock.now() });
    try {
      await begin();
    } catch (error) {
      // Half of it may have been done.
      await end().catch(() => undefined);
      close();
      throw error;
    }
    return async () => {
      try {
        await end();
      } finally {
        close();
      }
    };
  }

  async #killUnit(unit: string): Promise<string> {
    for (const host of this.#lab.hosts.filter(({ isUp }) => isUp)) {
      const show = ['systemctl', 'show', '--value', '--property=MainPID', unit];
      const { stdout } = await host.exec(show, { timeoutMs: execMs });
      if (!/^[1-9]/.test(stdout)) continue;
      this.kills.push({ unit, host: host.name, atMs: systemClock.now() });
      await host.mustExec(['systemctl', 'kill', '--kill-whom=main', '--signal=SIGKILL', unit], { timeoutMs: execMs });
      return `${unit} on ${host.name}`;
    }
    throw new Error('it runs nowhere');
  }
}

/** `0` if none runs or has told systemd yet that it is ready. */
async function fleetdPid(host: TestHost): Promise<string> {
  const show = ['systemctl', 'show', '--property=ActiveState', '--property=MainPID', 'fleet.service'];
  const { stdout } = await host.exec(show, { timeoutMs: execMs });
  return stdout.includes('ActiveState=active') ? (/MainPID=(\d+)/.exec(stdout)?.[1] ?? '0') : '0';
}

/** A host that goes down meanwhile is another fault's affair. */
async function untilAnotherFleetd(host: TestHost, before: string): Promise<void> {
  await waitUntil({
    what: `another fleetd is ready on ${host.name}`,
    read: () => fleetdPid(host),
    until: (pid) => pid !== '0' && pid !== before,
    timeoutMs: execMs,
  }).catch(() => undefined);
}

interface Spell {
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
}
