// What is in the Debian packages of fleetd and fleetctl.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentsOf, maintainer } from './deb-documents.mjs';
import { root } from './paths.mjs';

const fromRoot = (path) => readFileSync(join(root, path), 'utf8');
const script = (name) => fromRoot(`test/setup/debian/${name}`);

/** Both packages, for `writeDeb`. Everything has to be built. */
export async function fleetDebs({ version, epochSeconds }) {
  const of = (name, own) => ({
    control: { ...controlOf(name, version), ...own.control },
    files: [
      { path: `/usr/bin/${name}`, content: fromRoot(`dist/${name}`), isProgram: true },
      ...documentsOf({ name, version, epochSeconds, what: own.what }),
      ...own.files,
    ],
    scripts: own.scripts,
    epochSeconds,
  });
  return { fleetd: of('fleetd', await daemon()), fleetctl: of('fleetctl', client()) };
}

function controlOf(name, version) {
  return {
    Package: name,
    Version: version,
    Architecture: 'all',
    Maintainer: maintainer,
    Section: 'admin',
    Priority: 'optional',
  };
}

const [oldestNode] = /\d+/.exec(JSON.parse(fromRoot('package.json')).engines.node);
/**
 * Node is no dependency: Debian 12 has none that is new enough, and people have it from elsewhere. Recommended, apt would
 * fetch it and unpack it last, after the packages have refused the host for want of it.
 */
const suggestedNode = `nodejs (>= ${oldestNode})`;
const nodeCheck = () => script('node.preinst').replaceAll('@NODE@', oldestNode);

async function daemon() {
  const { fleetGroupFile, fleetServiceUnit, fleetSocketUnit, packagePlaces, sampleConfig } = await import(
    '@flotilla/fleetd'
  );
  const { programs, units, groupFile, socket } = packagePlaces;
  const service = { command: [`${programs}/fleetd`], manager: 'system' };
  const what = 'the daemon of each host';
  return {
    what,
    control: {
      Depends: 'systemd (>= 252)',
      Recommends: 'dbus, fleetctl',
      Suggests: `${suggestedNode}, etcd-server, etcd-client`,
      Description: `init system for a cluster: ${what}
 fleetd runs this host's share of the systemd units of a cluster, reports how
 they are, and, on the host that leads, decides which host runs which unit. The
 cluster's state is in etcd. Unit files in /etc/fleet/units run as units of the
 cluster.`,
    },
    files: [
      { path: `${units}/fleet.service`, content: fleetServiceUnit(service) },
      { path: `${units}/fleet.socket`, content: fleetSocketUnit({ socket, manager: 'system' }) },
      { path: groupFile, content: fleetGroupFile },
      { path: '/usr/share/fleetd/fleet.conf', content: sampleConfig() },
    ],
    scripts: {
      preinst: nodeCheck() + script('fleetd.preinst'),
      postinst: script('fleetd.postinst'),
      prerm: script('fleetd.prerm'),
      postrm: script('fleetd.postrm'),
    },
  };
}

function client() {
  const examples = readdirSync(join(root, 'units-examples')).sort();
  const what = 'the command line';
  return {
    what,
    control: {
      Suggests: `${suggestedNode}, fleetd, openssh-client`,
      Description: `init system for a cluster: ${what}
 fleetctl submits, starts, stops and lists the systemd units of a cluster, by
 way of the fleetd of any of its hosts.`,
    },
    files: examples.map((name) => {
      return { path: `/usr/share/doc/fleetctl/examples/${name}`, content: fromRoot(`units-examples/${name}`) };
    }),
    scripts: { preinst: nodeCheck() },
  };
}
