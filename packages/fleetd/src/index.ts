export { hostPlaces, type Places, packagePlaces } from './install/places.js';
export { sampleConfig } from './install/sample-config.js';
export {
  fleetGroup,
  fleetGroupFile,
  fleetServiceUnit,
  fleetSocketUnit,
  type ServiceUnitOptions,
} from './install/unit-files.js';
