import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Says a word and stays, with lines for `[X-Fleet]`. */
function says(word: string, ...rules: readonly string[]): string {
  const section = rules.length === 0 ? '' : `\n[X-Fleet]\n${rules.join('\n')}\n`;
  const command = `/bin/sh -c "echo ${word}; exec sleep infinity"`;
  return `[Unit]\nDescription=Says ${word} and stays\n\n[Service]\nExecStart=${command}\n${section}`;
}

const conflicting = says('me', 'Conflicts=conflict.*.service');

/** systemd starts it with hello and stops it with it. Nobody asks fleet to. */
const discovery = `[Unit]
BindsTo=hello.service
After=hello.service

[Service]
ExecStart=/bin/sleep infinity

[Install]
WantedBy=hello.service

[X-Fleet]
MachineOf=hello.service
`;

/** The units that fleet's functional tests are told with. Of instances there is only the template. */
const fleetUnits: Readonly<Record<string, string>> = {
  'hello.service': says('hello'),
  'hello@.service': says('hello-%i'),
  'goodbye.service': says('goodbye'),
  'single@.service': says('single-%i'),
  'global.service': says('everywhere', 'Global=true'),
  'global@.service': says('everywhere-%i', 'Global=true'),
  'pin@.service': says('pinned', 'MachineID=%i'),
  'conflict.0.service': conflicting,
  'conflict.1.service': conflicting,
  'conflict.2.service': conflicting,
  'discovery.service': discovery,
};

/** Writes the units into a new directory, for fleetctl to find. */
export async function writeFleetUnits(directory: string): Promise<void> {
  await mkdir(directory);
  for (const [name, text] of Object.entries(fleetUnits)) await writeFile(join(directory, name), text);
}
