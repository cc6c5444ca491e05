export { formatUnitFile, hashUnitFile, shortHash } from './canonical.js';
export { UnitError, type UnitErrorCode, type UnitErrorPlace } from './errors.js';
export { compileGlob, isGlob, matchGlob } from './glob.js';
export { passesMetadataTest } from './metadata-test.js';
export { findNearest } from './nearest.js';
export { isOwnerName, type OwnerName, parseOwnerName } from './owner-name.js';
export { type IgnoredOption, ignoredOptions } from './requirement-items.js';
export { parseRequirements, type RequirementsSource } from './requirements.js';
export { parseUnitFile, parseUnitFileWithLines, type UnitFileWithLines } from './unit-file.js';
export { describeInstance, describeUnit, hasInstallSection } from './unit-file-facts.js';
export {
  type Branded,
  type ConflictPreference,
  type MetadataPreference,
  type MetadataTest,
  noRequirements,
  type PartitionStop,
  type Requirements,
  type Strategy,
  strategies,
  type UnitFile,
  type UnitHash,
  type UnitName,
  type UnitOption,
} from './unit-model.js';
export {
  isUnitName,
  parseUnitName,
  type UnitNameParts,
  type UnitType,
  unitNameFromArgument,
  unitNameParts,
  unitTypes,
} from './unit-name.js';
export { unitFileFromOptions } from './unit-options.js';
export { largestUnitFile, readUnitText, type UnitText } from './unit-text.js';
