/** Header values by lower-case name, one for each time that the header was sent. */
export type HeaderValues = Readonly<Record<string, readonly string[] | undefined>>;

/** A request with all of its body. */
export interface ApiRequest {
  readonly method: string;
  /** The request target as it was sent: path and query, still encoded. */
  readonly url: string;
  readonly headers: HeaderValues;
  readonly body: Uint8Array;
  /** The body was larger than the server reads; `body` is empty. @default false */
  readonly isTooLarge?: boolean;
  /** What it came through. Who can write to the unix socket is trusted with any Host. */
  readonly door: 'unix' | 'tcp';
}

export interface ApiResponse {
  readonly status: number;
  /** Without `Content-Length`. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty if there is none. */
  readonly body: string;
}
