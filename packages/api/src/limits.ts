/** What clients may cost. Taste, all of it: a client on a bad line gets through, one that dawdles is let go. */
export interface ClientLimits {
  /** Larger bodies are answered with 413. Four unit files of the largest size that is kept. @default 4 MiB */
  readonly largestBody: number;
  /** Beyond this the one that has been idle for longest is closed, by listener. @default 2_000 */
  readonly mostConnections: number;
  /**
   * Of bodies that are still coming and answers that are not taken yet, all together; beyond it the oldest of these is
   * let go. @default 64 MiB
   */
  readonly mostHeldBytes: number;
  /** From the first byte of a request to the last of its headers. @default 10_000 */
  readonly headersMs: number;
  /** To the last byte of its body. @default 30_000 */
  readonly requestMs: number;
  /** How often these two are looked at, while there are connections. @default 5_000 */
  readonly checkMs: number;
  /** Between two requests on a connection. @default 60_000 */
  readonly idleMs: number;
  /** Without a byte sent or received, with a request under way. @default 60_000 */
  readonly stalledMs: number;
}

const mebibyte = 1024 * 1024;

export const defaultLimits: ClientLimits = {
  largestBody: 4 * mebibyte,
  mostConnections: 2_000,
  mostHeldBytes: 64 * mebibyte,
  headersMs: 10_000,
  requestMs: 30_000,
  checkMs: 5_000,
  idleMs: 60_000,
  stalledMs: 60_000,
};
