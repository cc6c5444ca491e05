import type { AgentObserver } from '@flotilla/agent';
import type { ApiMetrics } from '@flotilla/api';
import type { DirectoryDescription } from '@flotilla/directories';
import type { EnginePass } from '@flotilla/engine';
import type { StoreObserver } from '@flotilla/registry';
import type { Clock } from '@flotilla/runtime';
import type { CallObserver } from '@flotilla/systemd';
import { directoryFigures } from './directory-figures.js';
import { exposeFigures } from './expose.js';
import { counter, type Figure, gauge, times } from './figure.js';
import { processFigures } from './process-figures.js';
import { type Labels, type Sample, Tally, TimeTally } from './tally.js';

/** How this host's fleetd stands at a moment. */
export interface Standing {
  /** Since when its engine leads, in epoch milliseconds; `undefined`: it does not. */
  readonly leadingSinceMs: number | undefined;
  /** Whether the machine is registered and its lease surely alive. */
  readonly hasContact: boolean;
  readonly isFrozen: boolean;
  /** How many units are here, by ActiveState. */
  readonly units: ReadonlyMap<string, number>;
  /** Watched ones. */
  readonly directories: readonly DirectoryDescription[];
}

const nowhere: Standing = {
  leadingSinceMs: undefined,
  hasContact: false,
  isFrozen: false,
  units: new Map(),
  directories: [],
};

/** systemd's, so that one without units is a 0. */
const activeStates = ['active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating'];

const types = (...names: readonly string[]): Labels[] => names.map((type) => ({ type }));
const engineTasks = types('attemptscheduleunit', 'unscheduleunit');
const engineFailures = types('machine_away', 'run', 'schedule');
const agentTasks = types('load', 'unload', 'start', 'stop', 'restart', 'adopt');
const storeKinds = ['get', 'get_all', 'set'];

/** All that a fleetd counts from its start on, whatever its configuration becomes; told as Prometheus text. */
export class Figures implements ApiMetrics, AgentObserver {
  readonly #clock: Clock;
  #findStanding: () => Standing = () => nowhere;
  readonly #engineTasks = new Tally(engineTasks);
  readonly #engineTaskFailures = new Tally(engineTasks);
  readonly #enginePasses = new Tally([{}]);
  readonly #engineFailures = new Tally(engineFailures);
  readonly #engineTimes = new TimeTally([{}]);
  readonly #storeCalls = new Tally(types(...storeKinds));
  readonly #storeFailures = new Tally(types(...storeKinds));
  readonly #storeTimes = new TimeTally(storeKinds.map((ops) => ({ ops })));
  readonly #agentPasses = new Tally([{}]);
  readonly #agentPassFailures = new Tally([{}]);
  readonly #agentTimes = new TimeTally([{}]);
  readonly #agentTasks = new Tally(agentTasks);
  readonly #agentTaskFailures = new Tally(agentTasks);
  readonly #systemdCalls = new Tally();
  readonly #systemdFailures = new Tally();
  readonly #systemdTimes = new TimeTally([{ by: 'systemctl' }, { by: 'dbus' }]);
  readonly #requests = new Tally();
  readonly #requestTimes = new TimeTally();

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** From now on, `find` says how fleetd stands. */
  setStanding(find: () => Standing): void {
    this.#findStanding = find;
  }

  /** Of the engine. */
  readonly onEnginePass = (pass: EnginePass): void => {
    this.#enginePasses.add();
    this.#engineTimes.add(pass.durationMs);
    for (const [type, { decided, failed }] of [
      ['attemptscheduleunit', pass.scheduled],
      ['unscheduleunit', pass.unscheduled],
    ] as const) {
      this.#engineTasks.add({ type }, decided);
      this.#engineTaskFailures.add({ type }, failed);
    }
    this.#engineFailures.add({ type: 'machine_away' }, pass.fromLost);
    this.#engineFailures.add({ type: 'run' }, pass.misfits);
    this.#engineFailures.add({ type: 'schedule' }, pass.blocked);
  };

  readonly onStore: StoreObserver = (type, { durationMs, isFailed }) => {
    this.#storeCalls.add({ type });
    if (isFailed) this.#storeFailures.add({ type });
    this.#storeTimes.add(durationMs, { ops: type });
  };

  onPass({ durationMs, isFailed }: Parameters<AgentObserver['onPass']>[0]): void {
    this.#agentPasses.add();
    if (isFailed) this.#agentPassFailures.add();
    this.#agentTimes.add(durationMs);
  }

  onTasks(...[type, { count, failed }]: Parameters<AgentObserver['onTasks']>): void {
    this.#agentTasks.add({ type }, count);
    this.#agentTaskFailures.add({ type }, failed);
  }

  readonly onSystemdCall: CallObserver = ({ by, verb, durationMs, isFailed }) => {
    this.#systemdCalls.add({ by, verb });
    this.#systemdFailures.add({ by, verb }, isFailed ? 1 : 0);
    this.#systemdTimes.add(durationMs, { by });
  };

  begin(): ReturnType<ApiMetrics['begin']> {
    const startedMs = this.#clock.monotonicMs();
    return ({ route = 'none', method, status }) => {
      // Clients make paths up; what is counted must not grow with that.
      this.#requests.add({ route, method: route === 'none' ? 'any' : method, status: String(status) });
      this.#requestTimes.add(this.#clock.monotonicMs() - startedMs, { route });
    };
  }

  async expose(): ReturnType<ApiMetrics['expose']> {
    return await exposeFigures([...this.#counted(), ...this.#standing(), ...(await processFigures(this.#clock.now()))]);
  }

  #counted(): Figure[] {
    return [
      counter(
        'fleet_engine_task_count_total',
        'Units that the leader gave a machine or took one from',
        this.#engineTasks,
      ),
      counter(
        'fleet_engine_task_failure_count_total',
        'Of these, those that did not get into the store',
        this.#engineTaskFailures,
      ),
      counter('fleet_engine_reconcile_count_total', 'Passes of the engine while it led', this.#enginePasses),
      counter(
        'fleet_engine_reconcile_failure_count_total',
        'Units that a pass found on a lost machine, on one that they may not run on any more, or fit for none',
        this.#engineFailures,
      ),
      times('fleet_engine_reconcile_duration_second', 'How long passes of the engine took', this.#engineTimes),
      counter('fleet_registry_operation_count_total', 'Reads and writes of the store', this.#storeCalls),
      counter('fleet_registry_operation_failed_count_total', 'Of these, those that failed', this.#storeFailures),
      times(
        'fleet_registry_operation_duration_second',
        'How long reads and writes of the store took',
        this.#storeTimes,
      ),
      counter('fleet_agent_pass_count_total', 'Passes of the agent', this.#agentPasses),
      counter('fleet_agent_pass_failure_count_total', 'Of these, those that failed', this.#agentPassFailures),
      times('fleet_agent_pass_duration_second', 'How long passes of the agent took', this.#agentTimes),
      counter('fleet_agent_task_count_total', 'What the agent did to units', this.#agentTasks),
      counter('fleet_agent_task_failure_count_total', 'Of that, what failed', this.#agentTaskFailures),
      counter('fleet_systemd_call_count_total', 'Calls of systemd, by systemctl or over D-Bus', this.#systemdCalls),
      counter('fleet_systemd_call_failure_count_total', 'Of these, those that failed', this.#systemdFailures),
      times('fleet_systemd_call_duration_second', 'How long calls of systemd took', this.#systemdTimes),
      counter('fleet_api_request_count_total', 'Requests that the API answered', this.#requests),
      times('fleet_api_request_duration_second', 'How long answers of the API took', this.#requestTimes),
    ];
  }

  #standing(): Figure[] {
    const { leadingSinceMs, hasContact, isFrozen, units, directories } = this.#findStanding();
    const states = [...new Set([...activeStates, ...units.keys()])];
    const samples: Sample[] = states.map((state) => ({ labels: { state }, value: units.get(state) ?? 0 }));
    const isLeading = leadingSinceMs !== undefined;
    return [
      gauge(
        'fleet_engine_leader_start_time',
        'Since when this engine leads, in seconds since 1970; 0 if it does not',
        (leadingSinceMs ?? 0) / 1000,
      ),
      gauge('fleet_engine_leading', 'Whether this engine leads', isLeading ? 1 : 0),
      gauge('fleet_agent_contact', 'Whether this machine is in contact with its cluster', hasContact ? 1 : 0),
      gauge('fleet_agent_frozen', 'Whether this machine takes no orders from the store', isFrozen ? 1 : 0),
      gauge('fleet_agent_units', 'Units on this machine, by their ActiveState', samples),
      ...directoryFigures(directories),
    ];
  }
}
