import { createHash } from 'node:crypto';
import { type Machine, parseMachineId, type Unit } from '@flotilla/cluster';
import { parseRequirements, parseUnitFile, parseUnitName, type Requirements, type UnitHash } from '@flotilla/unit';

/** Units of which none is placed yet, and the machines for them. */
export interface UnsettledCluster {
  readonly units: readonly Unit[];
  readonly machines: readonly Machine[];
}

/** Instances of a template, and what all of them ask for. */
interface Template {
  readonly name: string;
  readonly fleet: string;
  readonly count: number;
}

const instancesPerTemplate = 100;
const zones = ['a', 'b', 'c', 'd'];
const disks = ['ssd', 'hdd'];
const cores = ['4', '8', '16', '32', '64'];

/** Units that ask nothing of their machines. */
export function plainCluster(unitCount: number, machineCount: number): UnsettledCluster {
  return { units: unitsOf(templates('worker', unitCount, () => '')), machines: benchMachines(machineCount) };
}

/**
 * Units with every rule: of a hundred 60 are plain, 15 want metadata, 10 go where another one is, 10 may not be together
 * with those of their kind, which is impossible for some, 2 drive others away, 2 have wishes, 1 is pinned. And 20 globals.
 */
export function mixedCluster(unitCount: number, machineCount: number): UnsettledCluster {
  const machines = benchMachines(machineCount);
  const share = (percent: number) => Math.round((unitCount * percent) / 100);
  const ssds = machines.filter(({ metadata }) => metadata.get('disk') === 'ssd' && metadata.get('zone') === 'a');
  const globals = Array.from({ length: 20 }, (_, at): Template => {
    const rule = [
      '',
      'MachineMetadata=disk=ssd',
      `Conflicts=worker-000${at % 10}@7.service`,
      'MachineMetadata=cores>=16',
    ];
    return { name: `agent-${at}.service`, fleet: `Global=true\n${rule[at % rule.length]}`, count: 1 };
  });
  const all = [
    ...templates('worker', share(60), () => ''),
    ...templates(
      'picky',
      share(15),
      (at) => `MachineMetadata=zone=${pick(zones, at)}\nMachineMetadata=cores>=${8 << (at % 3)}`,
    ),
    ...singles('sidekick', share(10), (at) => `MachineOf=${instanceName('worker', at)}`),
    ...templates('lb', share(10) - 2 * ssds.length, (_, name) => `Conflicts=${name}@*`),
    {
      name: 'cramped',
      fleet: 'Conflicts=cramped@*\nMachineMetadata=disk=ssd\nMachineMetadata=zone=a',
      count: 2 * ssds.length,
    },
    ...singles('next', share(2), (at) => `Replaces=${instanceName('picky', at)}`),
    ...templates('wish', share(1), () => 'SpreadOver=zone\nPreferConflicts=10:wish-*'),
    ...templates('fond', share(1), (at) => `PreferMachineMetadata=100:disk=${pick(disks, at)}\nStrategy=random`),
    ...singles('pinned', share(1), (at) => `MachineID=${machines[at % machineCount]?.id}`),
    ...globals,
  ];
  return { units: unitsOf(all), machines };
}

/** A unit that is submitted to a cluster that has settled. */
export function lateUnit(at: number, fleet = ''): Unit {
  const [unit] = unitsOf([{ name: `late-${at}.service`, fleet, count: 1 }]);
  if (unit === undefined) throw new Error('there is no unit');
  return unit;
}

function benchMachines(count: number): Machine[] {
  return Array.from({ length: count }, (_, at) => {
    const id = parseMachineId(createHash('md5').update(`machine ${at}`).digest('hex'));
    const labels = { zone: pick(zones, at), disk: pick(disks, at >> 2), cores: pick(cores, at) };
    return { id, metadata: new Map(Object.entries(labels)), isClosed: false, since: 1 };
  });
}

function templates(kind: string, count: number, fleet: (at: number, name: string) => string): Template[] {
  return Array.from({ length: Math.ceil(count / instancesPerTemplate) }, (_, at) => {
    const name = templateName(kind, at);
    return { name, fleet: fleet(at, name), count: Math.min(instancesPerTemplate, count - at * instancesPerTemplate) };
  });
}

function singles(kind: string, count: number, fleet: (at: number) => string): Template[] {
  return Array.from({ length: count }, (_, at) => ({ name: `${kind}-${at}.service`, fleet: fleet(at), count: 1 }));
}

function templateName(kind: string, at: number): string {
  return `${kind}-${String(at).padStart(4, '0')}`;
}

/** The name of one of the instances that {@link templates} makes. */
function instanceName(kind: string, at: number): string {
  return `${templateName(kind, Math.floor(at / instancesPerTemplate))}@${at % instancesPerTemplate}.service`;
}

/** The leader reads the section of a unit file once for all units that it is the same for. */
function unitsOf(all: readonly Template[]): Unit[] {
  return all.flatMap((template) => {
    const asked = requirementsOf(template);
    return Array.from({ length: template.count }, (_, at): Unit => {
      const name = parseUnitName(template.name.endsWith('.service') ? template.name : `${template.name}@${at}.service`);
      return { name, hash: '' as UnitHash, requirements: asked, desiredState: 'launched', createdAt: 1 };
    });
  });
}

function requirementsOf({ name, fleet }: Template): Requirements {
  const unit = parseUnitName(name.endsWith('.service') ? name : `${name}@0.service`);
  return parseRequirements({ name: unit, file: parseUnitFile(fleet === '' ? '' : `[X-Fleet]\n${fleet}\n`) });
}

function pick(values: readonly string[], at: number): string {
  return values[at % values.length] ?? '';
}
