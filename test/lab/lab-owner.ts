// A program for lab.test.ts to kill: makes a lab of the given name, prints its directory, and stays.
import { sleep, systemClock } from '@flotilla/runtime';
import { createLab } from './index.js';

const [, , name = ''] = process.argv;
const lab = await createLab({ name, hosts: 1 });
console.log(lab.directory);
await sleep(systemClock, 60_000);
