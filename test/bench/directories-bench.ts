import type { Lab, TestHost } from '../lab/index.js';

/** What the parts of the benchmark of directories share. */
export interface DirectoryBench {
  readonly lab: Lab;
  readonly host: TestHost;
  /** Watched; a path on the host. */
  readonly folder: string;
  readonly print: (line: string) => void;
}

/** With how many files at once. */
export interface ManyFilesBench extends DirectoryBench {
  readonly units: number;
}

/** Names of units whose files are one for each. */
export function fileNames(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}@${index + 1}.service`);
}
