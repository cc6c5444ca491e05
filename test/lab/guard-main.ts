// The program that guard.ts starts: its only argument is a lab's directory.
import { text } from 'node:stream/consumers';
import { removeLab } from './lab-record.js';

const [, , directory] = process.argv;
if (directory !== undefined && (await text(process.stdin)) === '') await removeLab(directory);
