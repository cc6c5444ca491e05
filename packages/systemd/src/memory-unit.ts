import type { Clock, Timer } from '@flotilla/runtime';
import { parseUnitFile, type UnitFile, type UnitName } from '@flotilla/unit';
import type { UnitStatus } from './unit-manager.js';

/** SubState of a running unit, by type. */
const runningSub: Readonly<Record<string, string>> = {
  service: 'running',
  timer: 'waiting',
  path: 'waiting',
  socket: 'listening',
  target: 'active',
  mount: 'mounted',
  automount: 'waiting',
  slice: 'active',
};

/** What a command of a unit file does here: `/bin/sleep N` takes N seconds, `/bin/false` fails, all else succeeds. */
interface Command {
  readonly lastsMs: number;
  readonly fails: boolean;
}

/** One unit as a very small systemd runs it. */
export class MemoryUnit {
  readonly #file: UnitFile | undefined;
  readonly #type: string;
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #active = 'inactive';
  #sub = 'dead';
  #job: string | undefined;
  #next: Timer | undefined;

  constructor(name: UnitName, content: Uint8Array, host: { readonly clock: Clock; readonly onChange: () => void }) {
    this.#type = name.slice(name.lastIndexOf('.') + 1);
    this.#file = findFile(content);
    this.#clock = host.clock;
    this.#onChange = host.onChange;
  }

  get status(): UnitStatus {
    return { load: this.isBad ? 'bad-setting' : 'loaded', active: this.#active, sub: this.#sub, job: this.#job };
  }

  /** Whether systemd would refuse to start it. */
  get isBad(): boolean {
    return this.#file === undefined || (this.#type === 'service' && this.#command('ExecStart') === undefined);
  }

  get isResting(): boolean {
    return this.#job === undefined && (this.#active === 'inactive' || this.#active === 'failed');
  }

  start(): void {
    if (this.#active === 'active' || this.#job === 'start') return;
    if (this.#job === 'stop') {
      this.#job = 'restart';
      return;
    }
    const main = this.#command('ExecStart');
    const isOneshot = this.#setting('Type') === 'oneshot';
    if (this.#type !== 'service' || main === undefined) this.#become('active', runningSub[this.#type] ?? 'active');
    else if (isOneshot && main.lastsMs > 0) {
      this.#become('activating', 'start', 'start');
      this.#after(main.lastsMs, () => this.#exit(main.fails));
    } else if (isOneshot || main.lastsMs === 0) this.#exit(main.fails);
    else {
      this.#become('active', 'running');
      this.#after(main.lastsMs, () => this.#exit(main.fails));
    }
  }

  stop(): void {
    if (this.#active === 'inactive' || this.#active === 'failed') return;
    if (this.#job === 'stop' || this.#job === 'restart') {
      this.#job = 'stop';
      return;
    }
    const lastsMs = this.#command('ExecStop')?.lastsMs ?? 0;
    if (lastsMs === 0) {
      this.#become('inactive', 'dead');
      return;
    }
    this.#become('deactivating', 'stop', 'stop');
    this.#after(lastsMs, () => {
      const isRestart = this.#job === 'restart';
      this.#become('inactive', 'dead');
      if (isRestart) this.start();
    });
  }

  restart(): void {
    this.stop();
    this.start();
  }

  /** The main process dies. */
  fail(): void {
    this.#become('failed', 'failed');
  }

  /** All its processes are killed. */
  kill(): void {
    if (this.#active === 'inactive' || this.#active === 'failed') return;
    const isRestart = this.#job === 'restart';
    this.fail();
    if (isRestart) this.start();
  }

  /** Ends without a word to anyone, as in a reboot. */
  vanish(): void {
    this.#next?.cancel();
  }

  #exit(fails: boolean): void {
    if (fails) this.fail();
    else if (this.#setting('RemainAfterExit') === 'yes') this.#become('active', 'exited');
    else this.#become('inactive', 'dead');
  }

  #become(active: string, sub: string, job?: string): void {
    this.#next?.cancel();
    this.#active = active;
    this.#sub = sub;
    this.#job = job;
    this.#onChange();
  }

  #after(ms: number, run: () => void): void {
    if (Number.isFinite(ms)) this.#next = this.#clock.setTimer(ms, run);
  }

  #setting(name: string): string | undefined {
    return this.#file?.options.findLast((option) => option.name === name)?.value;
  }

  #command(name: string): Command | undefined {
    const line = this.#setting(name);
    if (line === undefined || line === '') return undefined;
    const [program, argument] = line.split(/\s+/);
    const seconds = argument === 'infinity' ? Number.POSITIVE_INFINITY : Number(argument);
    return {
      lastsMs: program?.endsWith('/sleep') === true ? seconds * 1000 : 0,
      fails: program?.endsWith('/false') === true,
    };
  }
}

function findFile(content: Uint8Array): UnitFile | undefined {
  try {
    return parseUnitFile(content);
  } catch {
    return undefined;
  }
}
