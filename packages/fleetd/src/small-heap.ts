import { setFlagsFromString } from 'node:v8';

// fleetd is idle most of its life, beside others who need the memory. Left alone, V8 gives what lives briefly 16 MB twice,
// and lets what lives on double before it looks what of it is garbage. The first import of the program, as modules count.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--optimize-for-size');
