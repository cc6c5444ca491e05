import type { V1Harness } from './v1-harness.js';
import { describeLists } from './v1-lists.contract.js';
import { describeMachines } from './v1-machines.contract.js';
import { describeRoutes } from './v1-routes.contract.js';
import { describeUnits } from './v1-units.contract.js';

/**
 * Declares, with `node:test`, what API v1 answers, to the byte: to every path and method, and to good and bad requests.
 *
 * @param open Gives the API, once the tests run. What is in its store is deleted.
 */
export function describeV1Contract(open: () => V1Harness): void {
  describeRoutes(open);
  describeUnits(open);
  describeLists(open);
  describeMachines(open);
}
