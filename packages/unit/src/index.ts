export type { Branded, Requirements, UnitFile, UnitHash, UnitName, UnitOption } from './types.js';
