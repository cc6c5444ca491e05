// The documents that Debian wants in every package.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from './paths.mjs';

/** There is no mailbox. */
export const maintainer = 'The Flotilla authors <flotilla@flotilla.invalid>';

const fromRoot = (path) => readFileSync(join(root, path), 'utf8');

/** The documents of a program's package, for `writeDeb`. `what` says in a few words what the program is. */
export function documentsOf({ name, version, epochSeconds, what }) {
  const directory = `/usr/share/doc/${name}`;
  return [
    { path: `${directory}/README.md`, content: fromRoot('README.md') },
    { path: `${directory}/copyright`, content: formatCopyright(name) },
    { path: `${directory}/changelog.gz`, content: formatChangelog({ name, version, epochSeconds }) },
    { path: manualPath(name), content: formatManual({ name, version, epochSeconds, what }) },
  ];
}

function manualPath(name) {
  return name === 'fleetd' ? '/usr/share/man/man8/fleetd.8.gz' : `/usr/share/man/man1/${name}.1.gz`;
}

/** The program's own --help, for those who ask `man`. */
function formatManual({ name, version, epochSeconds, what }) {
  const options = { encoding: 'utf8', env: {} };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist', name), '--help'], options);
  // fleetd explains itself on standard error, as fleet's did.
  const help = `${stdout}${stderr}`.trim();
  if (status !== 0) throw new Error(`${name} --help failed: ${help}`);
  const section = manualPath(name).at(-4);
  const date = new Date(epochSeconds * 1000).toISOString().slice(0, 10);
  const verbatim = help
    .replace(/[\\]/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^(?=['.])/gm, '\\&');
  const title = `.TH ${name.toUpperCase()} ${section} ${date} "Flotilla ${version}"`;
  const text = `${title}\n.SH NAME\n${name} \\- ${what} of an init system for a cluster\n.SH DESCRIPTION\n.nf\n${verbatim}\n.fi\n`;
  return gzipSync(text, { level: 9 });
}

function formatChangelog({ name, version, epochSeconds }) {
  const [weekday, day, month, year, time] = new Date(epochSeconds * 1000).toUTCString().replace(',', '').split(' ');
  const date = `${weekday}, ${day} ${month} ${year} ${time} +0000`;
  const text = `${name} (${version}) stable; urgency=medium\n\n  * Release ${version}.\n\n -- ${maintainer}  ${date}\n`;
  return gzipSync(text, { level: 9 });
}

/** Our own license, and those of the libraries in the program. */
function formatCopyright(name) {
  const libraries = JSON.parse(fromRoot('dist/libraries.json'))[name];
  const namesByText = new Map();
  for (const directory of libraries) {
    const { name: library, version, license } = JSON.parse(fromRoot(`${directory}/package.json`));
    const text = license === 'Apache-2.0' ? whereApache : readLicense(directory);
    namesByText.set(text, [...(namesByText.get(text) ?? []), `${library} ${version} (${license})`]);
  }
  const parts = [...namesByText].map(([text, names]) => `${'-'.repeat(72)}\n${names.join('\n')}\n\n${text}\n`);
  const own = `Flotilla (Apache-2.0): ${whereApache}`;
  return `${own}\n\n/usr/bin/${name} also holds these libraries, each under the license that follows it:\n\n${parts.join('\n')}`;
}

/** Debian has one copy of it, and wants no other. */
const whereApache = 'the Apache License, version 2.0, is /usr/share/common-licenses/Apache-2.0.';

function readLicense(directory) {
  const file = readdirSync(join(root, directory)).find((each) => /^licen[cs]e/i.test(each));
  if (file === undefined) throw new Error(`${directory} is in a program and has no license file to go with it`);
  return fromRoot(`${directory}/${file}`).trim();
}
